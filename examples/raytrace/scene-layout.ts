/**
 * A task's input in bytes, all little-endian. The same numbers are in tracer/layout.as.ts; README.md has the table.
 */

/** "TMRT" */
export const MAGIC = 0x54524d54;
export const VERSION = 1;

/** Twelve u32 before the scene. */
export const HEADER_BYTES = 48;

/** Six u32: how many materials, spheres, planes, quads, triangles; zero. */
export const COUNTS_BYTES = 24;

/** 32 f32: camera, exposure, sky, sun, haze. */
export const WORLD_FLOATS = 32;

/** u32 kind, then 15 f32. */
export const MATERIAL_BYTES = 64;
/** u32 material, f32 centre[3], radius. */
export const SPHERE_BYTES = 20;
/** u32 material, f32 point[3], normal[3]. */
export const PLANE_BYTES = 28;
/** A quad or a triangle: u32 material, f32 corner[3], first edge[3], second edge[3]. */
export const FLAT_BYTES = 40;

export const MATERIAL_KIND = { diffuse: 0, metal: 1, glass: 2, light: 3, glossy: 4 } as const;

/** Pixels along one side of the picture; the tracer refuses more. */
export const MAX_SIDE = 16_384;
/** Pixels of one tile: 12 MiB of output. */
export const MAX_TILE_PIXELS: number = 1 << 22;
/** Paths per pixel; the standard deviation falls with its square root, so more than this is waste. */
export const MAX_SAMPLES = 65_536;
/** Bounces per path. */
export const MAX_BOUNCES = 64;
/** Objects of one shape; keeps a task's input below 16 MiB. */
export const MAX_RECORDS: number = 1 << 18;
