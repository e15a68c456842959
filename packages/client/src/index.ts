export * from './consume.ts'
export type { MessagePack } from './frames.ts'
export * from './http.ts'
// These stand before those of the same name in `http.ts`.
export { Queue, Topic, Zaqar, type ZaqarOptions } from './live.ts'
export * from './socket.ts'
export * from './subscribe.ts'
