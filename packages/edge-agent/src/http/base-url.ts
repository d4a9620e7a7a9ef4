/**
 * A server's URL without a slash at its end; one without a host is the page's own.
 * @throws {TypeError} on what is no URL.
 */
export function baseUrl(url: string | URL): string {
  const page = (globalThis as { readonly location?: { readonly href: string } }).location?.href;
  return new URL(url, page).href.replace(/\/+$/, "");
}
