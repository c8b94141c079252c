/** What the bundler makes of imports that are no modules. */

/** URL of a thread's script, in one file. */
declare module "*?worker&url" {
  const url: string;
  export default url;
}
