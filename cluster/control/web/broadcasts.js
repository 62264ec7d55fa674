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

// fetchBroadcasts resolves to the list of /v1/broadcasts, ordered by key, and the port to publish
// at.
export async function fetchBroadcasts() {
  const reply = await get('/v1/broadcasts', 'application/json');
  const { broadcasts, rtmp_port: port } = await reply.json();
  return { found: (broadcasts ?? []).sort((a, b) => (a.key < b.key ? -1 : 1)), port };
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
