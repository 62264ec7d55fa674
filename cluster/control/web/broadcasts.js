// What the node tells about itself.

const timeout = 4000; // milliseconds

async function get(path, accept) {
  const reply = await fetch(path, {
    cache: 'no-store',
    headers: { accept },
    signal: AbortSignal.timeout(timeout),
  });
  if (!reply.ok) {
    throw new Error(`${path}: ${reply.status} ${reply.statusText}`);
  }
  return reply;
}

// oneEach keeps one row of each key: in a cluster several nodes have it, and one of them is active.
function oneEach(broadcasts) {
  const byKey = new Map();
  for (const b of broadcasts) {
    if (!byKey.has(b.key) || b.role === 'active') byKey.set(b.key, b);
  }
  return [...byKey.values()];
}

// fetchBroadcasts resolves to the list of /v1/broadcasts, a row for each key and ordered by it, and
// the port to publish at.
export async function fetchBroadcasts() {
  const reply = await get('/v1/broadcasts', 'application/json');
  const { broadcasts, rtmp_port: port } = await reply.json();
  return { found: oneEach(broadcasts ?? []).sort((a, b) => (a.key < b.key ? -1 : 1)), port };
}

// fetchTree resolves to the node's supervision tree, drawn as text.
export async function fetchTree() {
  const reply = await get('/debug/tree', 'text/plain');
  return reply.text();
}

// mediaAddress is where a broadcast is served as HTTP-FLV.
export function mediaAddress(key) {
  return `/${key.split('/').map(encodeURIComponent).join('/')}.flv`;
}
