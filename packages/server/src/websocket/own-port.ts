import type { Handle } from '../http/handler.ts'

const PAGE = `<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Zaqar</title></head>
<body><h1>Zaqar</h1><p>This port speaks WebSocket only.</p></body>
</html>
`

/** Answers whoever comes to the port of WebSocket without asking for an upgrade. (contract websocket.md 1) */
export const ownPortHandle: Handle = async ({ method }) => {
  if (method !== 'GET' && method !== 'HEAD') return { status: 405, headers: { Allow: 'GET' }, body: '' }
  return { status: 200, headers: { 'Content-Type': 'text/html; charset=utf-8' }, body: PAGE }
}
