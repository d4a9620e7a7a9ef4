/**
 * Who is counted as one by an IP address: an IPv4 address, also written as IPv6, is itself; an IPv6 one is its /64, which
 * is what one subscriber gets. An unknown one is "".
 */
export function addressGroup(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped) return mapped[1]!;
  if (!address.includes(":")) return address;
  const [start = "", end] = address.split("%")[0]!.toLowerCase().split("::");
  const left = start === "" ? [] : start.split(":");
  const right = end === undefined || end === "" ? [] : end.split(":");
  const zeros = end === undefined ? 0 : 8 - left.length - right.length;
  return [...left, ...Array<string>(Math.max(0, zeros)).fill("0"), ...right].slice(0, 4).join(":");
}
