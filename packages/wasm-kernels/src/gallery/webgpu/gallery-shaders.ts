/**
 * Computes a key for each pair of a query and a row of one chunk. Keys have the same order as the cosines:
 * the bits of a positive float with the top bit set, and the inverted bits of a negative float.
 *
 * A workgroup compares 64 rows, one per invocation, with 4 queries. It loads 8 vec4s of each at a time into
 * workgroup memory, so that neighboring invocations read neighboring memory. Rows in workgroup memory are 9
 * vec4s apart, so that neighboring invocations use different banks.
 */
export const scoresWgsl = /* wgsl */ `
struct Part { rows: u32, width: u32, queries: u32, first: u32, total: u32 }
@group(0) @binding(0) var<uniform> part: Part;
@group(0) @binding(1) var<storage, read> rows: array<vec4f>;
@group(0) @binding(2) var<storage, read> queries: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> keys: array<u32>;

var<workgroup> rowTile: array<vec4f, 576>;
var<workgroup> queryTile: array<vec4f, 32>;

@compute @workgroup_size(64)
fn scores(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let firstRow = group.x * 64u;
  let firstQuery = group.y * 4u;
  var sums: array<vec4f, 4>;
  for (var at = 0u; at < part.width; at += 8u) {
    workgroupBarrier();
    for (var i = lane; i < 512u; i += 64u) {
      let row = firstRow + i / 8u;
      let column = at + i % 8u;
      var value = vec4f();
      if (row < part.rows && column < part.width) { value = rows[row * part.width + column]; }
      rowTile[i / 8u * 9u + i % 8u] = value;
    }
    if (lane < 32u) {
      let query = firstQuery + lane / 8u;
      let column = at + lane % 8u;
      var value = vec4f();
      if (query < part.queries && column < part.width) { value = queries[query * part.width + column]; }
      queryTile[lane] = value;
    }
    workgroupBarrier();
    for (var i = 0u; i < 8u; i++) {
      let row = rowTile[lane * 9u + i];
      for (var q = 0u; q < 4u; q++) { sums[q] += row * queryTile[q * 8u + i]; }
    }
  }
  let row = firstRow + lane;
  if (row >= part.rows) { return; }
  for (var q = 0u; q < 4u; q++) {
    if (firstQuery + q >= part.queries) { return; }
    let bits = bitcast<u32>(clamp(dot(sums[q], vec4f(1.0)), -1.0, 1.0));
    keys[(firstQuery + q) * part.total + part.first + row] = select(bits | 0x80000000u, ~bits, bits >> 31u == 1u);
  }
}
`;

/**
 * Selects the `kept` greatest keys of each query by digits of 8 bits, highest digit first. `count` counts
 * each digit among the keys that share the known digits of the smallest kept key, and `choose` selects the
 * next digit of that key. After four rounds, `collect` writes the greater keys, and as many equal keys as are
 * missing. Only the kept keys leave the GPU.
 */
export const selectWgsl = /* wgsl */ `
struct Shape { total: u32, kept: u32 }
struct State {
  counts: array<atomic<u32>, 256>,
  digits: u32,
  least: u32,
  missing: u32,
  greater: atomic<u32>,
  equal: atomic<u32>,
}
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> keys: array<u32>;
@group(0) @binding(2) var<storage, read_write> states: array<State>;
@group(0) @binding(3) var<storage, read_write> found: array<vec2u>;

var<workgroup> counts: array<atomic<u32>, 256>;

@compute @workgroup_size(256)
fn count(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let query = group.y;
  let shift = 24u - 8u * states[query].digits;
  for (var i = group.x * 256u + lane; i < shape.total; i += groups.x * 256u) {
    let key = keys[query * shape.total + i];
    if (((key ^ states[query].least) >> shift) >> 8u == 0u) { atomicAdd(&counts[(key >> shift) & 255u], 1u); }
  }
  workgroupBarrier();
  let times = atomicLoad(&counts[lane]);
  if (times > 0u) { atomicAdd(&states[query].counts[lane], times); }
}

@compute @workgroup_size(256)
fn choose(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let query = group.x;
  atomicStore(&counts[lane], atomicExchange(&states[query].counts[lane], 0u));
  workgroupBarrier();
  if (lane != 0u) { return; }
  let digits = states[query].digits;
  var missing = states[query].missing;
  if (digits == 0u) { missing = shape.kept; }
  var digit = 255u;
  while (digit > 0u) {
    let times = atomicLoad(&counts[digit]);
    if (times >= missing) { break; }
    missing -= times;
    digit--;
  }
  states[query].missing = missing;
  states[query].least |= digit << (24u - 8u * digits);
  states[query].digits = digits + 1u;
}

@compute @workgroup_size(256)
fn collect(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let query = group.y;
  let least = states[query].least;
  let missing = states[query].missing;
  for (var i = group.x * 256u + lane; i < shape.total; i += groups.x * 256u) {
    let key = keys[query * shape.total + i];
    if (key < least) { continue; }
    var place = 0u;
    if (key > least) {
      place = atomicAdd(&states[query].greater, 1u);
    } else {
      let equals = atomicAdd(&states[query].equal, 1u);
      if (equals >= missing) { continue; }
      place = shape.kept - missing + equals;
    }
    found[query * shape.kept + place] = vec2u(i, key);
  }
}
`;

/** Bytes of the shader's `State`. */
export const stateBytes = 4 * (256 + 5);
