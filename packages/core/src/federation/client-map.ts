/**
 * Entries by their client's name, as plain data that is cheap to change by copy: an object of ten thousand names takes
 * milliseconds to copy, and a federation copies at every update. The names are spread over short lists by their hash; a
 * change copies one of them and the list of lists. Names that objects have by birth are names like all others.
 */
export interface ClientMap<T extends { readonly client: string }> {
  readonly size: number;
  /** A power of two of lists. */
  readonly lists: readonly (readonly T[])[];
}

/** Entries a list, on average, before there are twice as many lists. */
const LIST_LENGTH = 8;

/** A roster of these; of two entries of one name the latter counts. */
export function clientMap<T extends { readonly client: string }>(entries: Iterable<T> = []): ClientMap<T> {
  const unique = [...new Map([...entries].map((entry) => [entry.client, entry])).values()];
  let count = 1;
  while (count * LIST_LENGTH < unique.length) count *= 2;
  return { size: unique.length, lists: spreadOver(count, unique) };
}

/** A client's entry. */
export function getClient<T extends { readonly client: string }>(
  { lists }: ClientMap<T>,
  client: string,
): T | undefined {
  return lists[place(client, lists.length)]!.find((entry) => entry.client === client);
}

/** All entries, in an order that says nothing. */
export function allClients<T extends { readonly client: string }>({ lists }: ClientMap<T>): T[] {
  return lists.flat();
}

/** The roster with an entry, in place of the client's former one. */
export function withClientEntry<T extends { readonly client: string }>(
  roster: ClientMap<T>,
  entry: T,
): ClientMap<T> {
  const { size, lists } = roster;
  const at = place(entry.client, lists.length);
  const list = lists[at]!;
  const former = list.findIndex(({ client }) => client === entry.client);
  if (former >= 0) return { size, lists: lists.with(at, list.with(former, entry)) };
  const grown = lists.with(at, [...list, entry]);
  return {
    size: size + 1,
    lists: size < lists.length * LIST_LENGTH ? grown : spreadOver(lists.length * 2, grown.flat()),
  };
}

/** The roster without a client's entry. */
export function withoutClientEntry<T extends { readonly client: string }>(
  roster: ClientMap<T>,
  client: string,
): ClientMap<T> {
  if (getClient(roster, client) === undefined) return roster;
  const at = place(client, roster.lists.length);
  return {
    size: roster.size - 1,
    lists: roster.lists.with(
      at,
      roster.lists[at]!.filter((entry) => entry.client !== client),
    ),
  };
}

function spreadOver<T extends { readonly client: string }>(count: number, entries: readonly T[]): T[][] {
  const lists: T[][] = Array.from({ length: count }, () => []);
  for (const entry of entries) lists[place(entry.client, count)]!.push(entry);
  return lists;
}

/** FNV-1a, its high bits folded in: `count` looks at the low ones alone. */
function place(client: string, count: number): number {
  let bits = 0x811c9dc5;
  for (let i = 0; i < client.length; i++) bits = Math.imul(bits ^ client.charCodeAt(i), 0x01000193);
  return (bits ^ (bits >>> 15)) & (count - 1);
}
