import type { Page } from '../core/listing.ts'
import type { Push } from '../core/receiver.ts'
import type { Claim, Instant } from '../model/model.ts'
import type { Encoding } from '../wire/websocket/encodings.ts'
import { claimFrame, pushFrames } from '../wire/websocket/push-frames.ts'
import { messageFrame } from './frame-bytes.ts'

/** Frames are put together up to so many bytes. */
const BLOCK_BYTES = 64 * 1024

/** By payloads, which are the same for whoever gets the same page in the same form. */
const madeBlocks = new WeakMap<readonly Buffer[], readonly Buffer[]>()

/** A page as it goes out, in blocks of whole frames. Made once, however many get it. */
export function pageBlocks(push: Push, page: Page, encoding: Encoding): readonly Buffer[] {
  const payloads = pushFrames(push, page, encoding)
  const known = madeBlocks.get(payloads)
  if (known !== undefined) return known
  const blocks = inBlocks(payloads.map((payload) => messageFrame(payload, encoding)))
  madeBlocks.set(payloads, blocks)
  return blocks
}

/** Messages that were claimed for a connection, as they go out. */
export function claimBlocks(push: Push, claim: Claim, now: Instant, encoding: Encoding): readonly Buffer[] {
  return [messageFrame(claimFrame(push, claim, now, encoding), encoding)]
}

function inBlocks(frames: readonly Buffer[]): Buffer[] {
  const blocks: Buffer[] = []
  let block: Buffer[] = []
  let bytes = 0
  const close = () => {
    if (block.length > 0) blocks.push(block.length === 1 ? (block[0] as Buffer) : Buffer.concat(block, bytes))
    block = []
    bytes = 0
  }
  for (const frame of frames) {
    if (bytes + frame.length > BLOCK_BYTES) close()
    block.push(frame)
    bytes += frame.length
  }
  close()
  return blocks
}
