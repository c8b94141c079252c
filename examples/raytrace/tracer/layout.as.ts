/**
 * Byte offsets of a task's input and of the records the tracer builds from it. The same numbers are in
 * ../scene-layout.ts; the test "the tracer accepts what encodeScene wrote" fails when they drift apart.
 */

/** "TMRT", little-endian. */
export const MAGIC: u32 = 0x54524d54;
export const VERSION: u32 = 1;

/** Twelve u32: magic, version, image width and height, tile x, y, w, h, samples, bounces, seed, scene bytes. */
export const HEADER_BYTES: u32 = 48;

/** Scene: six u32 counts (materials, spheres, planes, quads, triangles, zero), then 32 f32 of camera and sky. */
export const COUNTS_BYTES: u32 = 24;
export const WORLD_BYTES: u32 = 128;
export const MATERIAL_BYTES: u32 = 64;
export const SPHERE_BYTES: u32 = 20;
export const PLANE_BYTES: u32 = 28;
export const FLAT_BYTES: u32 = 40;

/** Pixels along one side; larger images are refused. */
export const MAX_SIDE: u32 = 16_384;
/** Pixels of one tile: 12 MiB of output. */
export const MAX_TILE_PIXELS: u32 = 1 << 22;
export const MAX_SAMPLES: u32 = 65_536;
export const MAX_BOUNCES: u32 = 64;
/** Records of one kind: bounds the sums below 2^32. */
export const MAX_RECORDS: u32 = 1 << 18;

/** Shape kinds; sphere is zero so that the hottest test is a test for zero. */
export const SPHERE: i32 = 0;
export const QUAD: i32 = 1;
export const TRIANGLE: i32 = 2;
export const PLANE: i32 = 3;

/**
 * One shape in memory, 128 bytes. Sphere: f64 centre[3], radius², radius. Flat: f64 unit normal[3], its distance,
 * then two rows of four that map a point to (u, v). Both: i32 kind, material, light at 96; f64 area at 112.
 */
export const SHAPE_BYTES: u32 = 128;
export const SHAPE_KIND: usize = 96;
export const SHAPE_MATERIAL: usize = 100;
export const SHAPE_LIGHT: usize = 104;
export const SHAPE_AREA: usize = 112;

/** Material kinds. */
export const DIFFUSE: i32 = 0;
export const METAL: i32 = 1;
export const GLASS: i32 = 2;
export const EMISSIVE: i32 = 3;
export const GLOSSY: i32 = 4;
export const MATERIAL_KINDS: u32 = 5;

/** One material in memory, 128 bytes of f64 at these offsets; its kind is an i32 at 120. */
export const COLOR: usize = 0;
export const COLOR2: usize = 24;
export const CHECKER: usize = 48;
export const ALPHA: usize = 56;
export const IOR: usize = 64;
export const EMISSION: usize = 72;
export const ABSORPTION: usize = 96;
export const MATERIAL_KIND: usize = 120;
export const MATERIAL_RECORD: u32 = 128;
