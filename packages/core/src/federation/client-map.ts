/**
 * Entries by client name, as plain data that is cheap to update by copying. An object of ten thousand keys
 * takes milliseconds to copy, and a federation copies at every update. The names are distributed over short
 * lists by their hash; an update copies one of these lists and the list of lists. Names of object members,
 * such as `__proto__`, are ordinary names.
 */
export interface ClientMap<T extends { readonly client: string }> {
  readonly size: number;
  /** Lists of entries; their number is a power of two. */
  readonly lists: readonly (readonly T[])[];
}

/** Average number of entries per list above which the number of lists doubles. */
const LIST_LENGTH = 8;

/** Creates a client map of these entries. If two entries have the same name, the last one is kept. */
export function clientMap<T extends { readonly client: string }>(entries: Iterable<T> = []): ClientMap<T> {
  const unique = [...new Map([...entries].map((entry) => [entry.client, entry])).values()];
  let count = 1;
  while (count * LIST_LENGTH < unique.length) count *= 2;
  return { size: unique.length, lists: spreadOver(count, unique) };
}

/** Returns the entry of a client. */
export function getClient<T extends { readonly client: string }>(
  { lists }: ClientMap<T>,
  client: string,
): T | undefined {
  return lists[place(client, lists.length)]!.find((entry) => entry.client === client);
}

/** Returns all entries, in no particular order. */
export function allClients<T extends { readonly client: string }>({ lists }: ClientMap<T>): T[] {
  return lists.flat();
}

/** Returns the map with an entry added, or with the client's former entry replaced. */
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

/** Returns the map without a client's entry. */
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

/** FNV-1a with its high bits folded in, because the mask uses the low bits only. */
function place(client: string, count: number): number {
  let bits = 0x811c9dc5;
  for (let i = 0; i < client.length; i++) bits = Math.imul(bits ^ client.charCodeAt(i), 0x01000193);
  return (bits ^ (bits >>> 15)) & (count - 1);
}
