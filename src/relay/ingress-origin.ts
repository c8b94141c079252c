/**
 * Origin at which deployments are called apart from the pages. @param publicUrl where the pages are
 * @throws Error for what is no origin, and for the pages' own: what is deployed would share it with the app
 */
export function parseIngressOrigin(text: string, publicUrl: string | undefined): string {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/u.test(url.protocol) || url.pathname !== "/" || url.search !== "")
    throw new Error("takes an origin, such as https://run.example");
  if (publicUrl !== undefined && new URL(publicUrl).host === url.host)
    throw new Error("is the relay's own origin: it takes another host or port");
  return url.origin;
}
