/**
 * Returns a server's URL without trailing slashes. A relative URL is resolved against the page's URL.
 *
 * @throws {TypeError} If `url` is not a valid URL.
 */
export function baseUrl(url: string | URL): string {
  const page = (globalThis as { readonly location?: { readonly href: string } }).location?.href;
  return new URL(url, page).href.replace(/\/+$/, "");
}
