/** What the bundler makes of imports that are no modules. */

/** URL of a thread's script, in one file. */
declare module "*?worker&url" {
  const url: string;
  export default url;
}

/** URL of a file that goes along as it is. */
declare module "*.wasm?url" {
  const url: string;
  export default url;
}

declare module "*.json?url" {
  const url: string;
  export default url;
}

/** Rules that come with the part of the page that imports them. */
declare module "*.css";
