/** How a frame is written: JSON in text frames, MessagePack in binary ones. (contract websocket.md 2) */
export type Encoding = 'json' | 'msgpack'
