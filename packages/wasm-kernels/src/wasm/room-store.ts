import type { RoomStore } from "../update-room.ts";
import type { VectorMemory } from "./vector-exports.ts";

/** Room in the module's memory. */
export function wasmRoomStore(memory: VectorMemory, bytes: number): RoomStore {
  const address = memory.allocate(bytes);
  memory.bytes(address, bytes).fill(0);
  return { bytes: () => memory.bytes(address, bytes), dispose: () => memory.free(address) };
}
