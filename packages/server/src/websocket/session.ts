import { randomUUID } from 'node:crypto'
import type { Call, Execute, OnTrouble } from '../core/execute.ts'
import { type Authenticate, type Identity, judgedToken, type Shown } from '../core/identity.ts'
import type { Page } from '../core/listing.ts'
import type { ProjectSeats } from '../core/project-seats.ts'
import type { Pushes } from '../core/pushes/pushes.ts'
import type { Push, Receiver } from '../core/receiver.ts'
import type { MeasuredRequest, RequestMeter } from '../core/request-meter.ts'
import type { Limits } from '../core/rules/limits.ts'
import { NO_PROJECT } from '../core/rules/projects.ts'
import { printJson } from '../model/json.ts'
import type { Claim, Instant, JsonObject } from '../model/model.ts'
import type { ClientIdRules } from '../wire/caller.ts'
import { isTrouble } from '../wire/errors.ts'
import { socketCaller } from '../wire/websocket/caller.ts'
import type { Echo } from '../wire/websocket/codec.ts'
import type { Encoding } from '../wire/websocket/encodings.ts'
import { socketError } from '../wire/websocket/errors.ts'
import { type Frame, FrameRefused, readFrame, refusal } from '../wire/websocket/frames.ts'
import { jsonCodec } from '../wire/websocket/json-frames.ts'
import { msgpackCodec } from '../wire/websocket/msgpack-frames.ts'
import { ShownInFrame } from '../wire/websocket/shown-in-frame.ts'
import type { AnySocketDoor, SocketAnswer } from '../wire/websocket/socket-door.ts'
import { claimBlocks, pageBlocks } from './push-bytes.ts'

/** Puts something around the answering of a frame; `id`: of the request. */
export type AroundFrame = (
  frame: Pick<Frame, 'action' | 'headers'>,
  id: string,
  answer: () => Promise<SocketAnswer>,
) => Promise<SocketAnswer>

/** What all sessions have in common. */
export interface SessionHouse {
  readonly authenticate: Authenticate
  /** Whether a connection has to be authenticated, or each request signed. */
  readonly needsAuthentication: boolean
  readonly execute: Execute
  readonly doors: ReadonlyMap<string, AnySocketDoor>
  readonly limits: Limits
  readonly clientIds: ClientIdRules
  readonly seats: ProjectSeats
  /** Requests of one connection that may wait for something to come. */
  readonly maxRequests: number
  readonly onTrouble: OnTrouble
  readonly pushes: Pick<Pushes, 'of' | 'renew' | 'gone'>
  readonly meter: RequestMeter
  /** Null: nothing is put around. */
  readonly aroundFrame: AroundFrame | null
}

/** The other side of a session, and the way there. */
export interface Peer {
  readonly id: string
  readonly address: string | null
  /** Of what was sent and is not taken, in bytes. */
  readonly untaken: number
  send(payload: Buffer, encoding: Encoding): void
  /** Whole frames of so many messages. With a promise, no more should come before it resolves. */
  push(blocks: readonly Buffer[], messages: number): void | Promise<void>
  /** Resolves when all that was sent is taken, or the connection has ended. */
  taken(): Promise<void>
  /** A request has had its turn, and fewer wait. */
  turned(): void
  /** Whoever asks may ask for something. */
  accepted(): void
  /** A request of so many bytes has been answered. */
  answered(bytes: number): void
  /** `reason`: at most 123 bytes. */
  close(code: number, reason: string): void
}

/** No further request is looked at while more is not taken, in bytes. */
const MOST_UNTAKEN = 1024 * 1024
/** So many requests are answered in one turn of the event loop before others have theirs. */
const IN_A_ROW = 32

/** Of all requests of a connection that wait for something to come, in bytes as they came. */
const MOST_APART_BYTES = 1024 * 1024

/** Without a reason at hand an abort makes an error and its stack. */
const GONE = 'the client is gone'

/** Who asks, or what is answered where that is not known. */
type Judged = Identity | SocketAnswer

const AUTHENTICATED: SocketAnswer = { status: 200, body: printJson({ message: 'Authentified.' }) }
const NOT_ACCEPTED = refusal(401, 'Authentication failed.')
const UNVERIFIED = refusal(503, 'Authentication failed.')
const UNKNOWN = refusal(403, 'Not authentified.')
const OTHER_PROJECT = refusal(403, 'Not authenticated.')
const NO_SEAT = refusal(503, 'The project has too many connections.')
const TOO_MANY_REQUESTS = refusal(503, 'Too many requests of the connection wait already.')
const FAILED = refusal(500, 'Unexpected error.', 'The request could not be served because of an error of this server.')

interface Arrived {
  readonly data: Buffer
  readonly encoding: Encoding
}

/**
 * What is asked over a connection, and who asks: requests are served one after the other, so that a reader sees what it
 * has posted, and answered in their order. Only those that wait for something to come are set apart, and answered when
 * it has come. Whatever goes wrong with one, the connection goes on. (contract websocket.md 4, 5, 9)
 */
export class Session implements Receiver {
  readonly id: string
  readonly #peer: Peer
  readonly #house: SessionHouse
  /** Before its turn. */
  readonly #arrived: Arrived[] = []
  #isServing = false
  /** Requests that wait for something to come, and their bytes. */
  #apart = 0
  #apartBytes = 0
  #identity: Identity | null = null
  #token: string | null = null
  /** Whose connection it is, for their number. */
  #seat: string | null = null
  #gone: AbortController | null = null
  #pushEncoding: Encoding = 'json'
  #subscriptions = 0
  /** Whose signature stands in for one that frames do not show. */
  #signer: Identity | null = null
  #state: 'open' | 'ending' | 'over' = 'open'

  constructor(peer: Peer, house: SessionHouse) {
    this.id = peer.id
    this.#peer = peer
    this.#house = house
  }

  /** Whether its messages are taken. */
  get isOpen(): boolean {
    return this.#state === 'open'
  }

  /** Whether it is known who asks, or need not be, whatever frames show. */
  get isKnown(): boolean {
    return this.#identity !== null || !this.#house.needsAuthentication
  }

  /** Requests that wait for something to come. */
  get apart(): number {
    return this.#apart
  }

  /** When the credentials of the connection end; null: never, or there are none. */
  get expiresAt(): Instant | null {
    return this.#identity?.expiresAt ?? null
  }

  /** How often it has subscribed. */
  get subscriptions(): number {
    return this.#subscriptions
  }

  /** Requests without their answer. */
  get underWay(): number {
    return this.#arrived.length + this.#apart + (this.#isServing ? 1 : 0)
  }

  /** Requests before their turn. */
  get waiting(): number {
    return this.#arrived.length
  }

  /**
   * Whose connection it is from now on, as his token or signature says. False when his project has too many; it is
   * closed then.
   */
  admit(identity: Identity, token: string | null): boolean {
    if (identity.scope.signed !== null) {
      this.#signer = identity
      return true
    }
    if (!this.#sit(identity.project)) return false
    this.#identity = identity
    this.#token = token
    this.#house.pushes.renew(this, { ...identity, project: identity.project ?? NO_PROJECT, clientId: '' })
    return true
  }

  /** A whole message has come. */
  receive(data: Buffer, encoding: Encoding): void {
    if (this.#state !== 'open') return
    this.#arrived.push({ data, encoding })
    if (!this.#isServing) void this.#serveAll()
  }

  /** The credentials of the connection have ended. (contract websocket.md 5.2) */
  expire(): void {
    this.#identity = null
    this.#token = null
    this.#peer.close(4003, 'Authentication expired.')
  }

  /** Closes the connection when what is under way is answered; nothing new is taken. */
  end(): void {
    if (this.#state === 'open') this.#state = 'ending'
    void this.#closeWhenDone()
  }

  /** The connection has ended. */
  over(): void {
    if (this.#state === 'over') return
    this.#state = 'over'
    this.#arrived.length = 0
    this.#gone?.abort(GONE)
    if (this.#seat !== null) this.#house.seats.leave(this.#seat)
    void this.#house.pushes.gone(this)
  }

  onPage(push: Push, page: Page): void | Promise<void> {
    if (this.#state !== 'open') return
    return this.#peer.push(pageBlocks(push, page, this.#pushEncoding), page.messages.length)
  }

  onClaim(push: Push, claim: Claim, now: Instant): void {
    if (this.#state !== 'open') return
    void this.#peer.push(claimBlocks(push, claim, now, this.#pushEncoding), claim.messages.length)
  }

  onMissed(): void {
    this.#peer.close(1013, 'Messages may have been missed. Come back with the marker.')
  }

  async #serveAll(): Promise<void> {
    this.#isServing = true
    let inARow = 0
    for (let next = this.#arrived.shift(); next !== undefined; next = this.#arrived.shift()) {
      await this.#serve(next)
      this.#peer.turned()
      if (this.#peer.untaken > MOST_UNTAKEN) await this.#peer.taken()
      inARow += 1
      if (inARow % IN_A_ROW === 0) await new Promise(setImmediate)
    }
    this.#isServing = false
    await this.#closeWhenDone()
  }

  async #closeWhenDone(): Promise<void> {
    if (this.#state !== 'ending' || this.underWay > 0) return
    await this.#peer.taken()
    this.#peer.close(1001, 'The service is going away.')
  }

  async #serve({ data, encoding }: Arrived): Promise<void> {
    const frame = this.#read(data, encoding)
    if (frame === null) return this.#peer.answered(data.length)
    const { door } = frame
    if (door === null) {
      return this.#finish(
        frame,
        await this.#measure(frame, 'authenticate', () => this.#authenticate(new ShownInFrame(frame.headers))),
      )
    }
    if (door.waits?.(frame.body) !== true) return this.#finish(frame, await this.#answer(frame, door))
    if (this.#apart >= this.#house.maxRequests || this.#apartBytes + frame.bytes > MOST_APART_BYTES) {
      return this.#finish(frame, TOO_MANY_REQUESTS)
    }
    this.#apart += 1
    this.#apartBytes += frame.bytes
    void this.#answerApart(frame, door)
  }

  /** Null where the frame is answered already, as no request. */
  #read(data: Buffer, encoding: Encoding): Frame | null {
    try {
      const read = readFrame(data, encoding, this.#house.doors)
      if (!(read instanceof FrameRefused)) return read
      this.#send(read.echo, read.answer, encoding)
    } catch (error) {
      this.#fail(error, encoding)
    }
    return null
  }

  async #answerApart(frame: Frame, door: AnySocketDoor): Promise<void> {
    const answer = await this.#answer(frame, door)
    this.#apart -= 1
    this.#apartBytes -= frame.bytes
    this.#finish(frame, answer)
    await this.#closeWhenDone()
  }

  #finish({ echo, encoding, bytes }: Frame, answer: SocketAnswer): void {
    this.#send(echo, answer, encoding)
    this.#peer.answered(bytes)
    if (answer.afterwards === undefined) return
    // Only a subscription of the connection has something to begin. (contract websocket.md 7.2)
    this.#pushEncoding = encoding
    this.#subscriptions += 1
    answer.afterwards()
  }

  #send(echo: Echo, answer: SocketAnswer, encoding: Encoding): void {
    let payload: Buffer
    try {
      payload = echo.answer(answer)
    } catch (error) {
      this.#fail(error, encoding)
      return
    }
    this.#peer.send(payload, encoding)
  }

  /** What cannot be repeated is answered without. */
  #fail(error: unknown, encoding: Encoding): void {
    this.#house.onTrouble(error, { connection: this.id })
    const codec = encoding === 'json' ? jsonCodec : msgpackCodec
    this.#peer.send(codec.echo({}).answer(FAILED), encoding)
  }

  async #authenticate({ token, serviceToken }: Shown): Promise<SocketAnswer> {
    const { needsAuthentication, authenticate, onTrouble } = this.#house
    if (!needsAuthentication) return AUTHENTICATED
    let judged: Awaited<ReturnType<Authenticate>>
    try {
      // A signature is good for one request only. (contract websocket.md 5.4)
      judged = await authenticate({ token, serviceToken }, this.#asker)
    } catch (error) {
      onTrouble(error, { connection: this.id })
      return FAILED
    }
    if ('unauthenticated' in judged) {
      if (judged.unauthenticated !== 'token.unverified') return NOT_ACCEPTED
      if (judged.cause !== null) onTrouble(judged.cause, { connection: this.id })
      return UNVERIFIED
    }
    if (!this.admit(judged, token ?? null)) return NO_SEAT
    this.#peer.accepted()
    return AUTHENTICATED
  }

  /** `serve` never fails. */
  async #measure(
    frame: Frame,
    operation: string,
    serve: (measured: MeasuredRequest) => Promise<SocketAnswer>,
  ): Promise<SocketAnswer> {
    const { meter, aroundFrame } = this.#house
    const measured = meter.begin(`req-${randomUUID()}`)
    measured.door = 'websocket'
    measured.operation = operation
    const answer = await (aroundFrame === null
      ? serve(measured)
      : aroundFrame(frame, measured.id, () => serve(measured)))
    meter.end(measured, answer.status)
    return answer
  }

  #answer(frame: Frame, door: AnySocketDoor): Promise<SocketAnswer> {
    return this.#measure(frame, door.operation.name, (measured) => this.#answerMeasured(frame, door, measured))
  }

  /** Never fails. */
  async #answerMeasured(frame: Frame, door: AnySocketDoor, measured: MeasuredRequest): Promise<SocketAnswer> {
    const { headers, bytes } = frame
    const { execute, limits, clientIds, onTrouble } = this.#house
    const { id } = measured
    try {
      const shown = new ShownInFrame(headers)
      const judging = this.#judge(shown, headers)
      const judged = judging instanceof Promise ? await judging : judging
      if ('status' in judged) return judged
      const caller = socketCaller(judged, headers, door, clientIds)
      if (!this.#sit(caller.project)) return NO_SEAT
      const token = this.#house.needsAuthentication ? this.#token : judgedToken(shown)
      this.#peer.accepted()
      const call: Call = {
        ...this.#asker,
        signal: measured.noting(this.#asker.signal),
        id,
        ...door.target(frame.body),
        token: () => token,
      }
      const request = { body: frame.body, headers, bytes, caller, limits, receiver: this }
      const read = () => {
        const input = door.decode(request)
        // What waits may wait for long.
        if (door.waits?.(frame.body) === true) request.body = frame.body = simpleIn(frame.body, door)
        return input
      }
      const output = await execute(door.operation, read, caller, call)
      return door.encode(output, request)
    } catch (error) {
      const answer = socketError(error, door, frame.body)
      if (isTrouble(error, answer.status)) onTrouble(error, { requestId: id, action: door.action })
      return answer
    }
  }

  /** Who asks, or the answer that says why that is not known. (contract websocket.md 5) */
  #judge(shown: ShownInFrame, headers: Frame['headers']): Judged | Promise<Judged> {
    const { needsAuthentication } = this.#house
    const { 'X-Project-ID': project } = headers
    if (this.#identity !== null) {
      // A client that has nothing but a token need not know whose it is.
      const isNamed = project !== undefined && project !== ''
      return !isNamed || project === this.#identity.project ? this.#identity : OTHER_PROJECT
    }
    const own = shown.signed
    if (own !== undefined) return this.#judgeAlone({ signed: own })
    if (this.#signer === null) return needsAuthentication ? UNKNOWN : this.#judgeAlone({ asserted: shown.asserted })
    return project === undefined || project === this.#signer.project ? this.#signer : OTHER_PROJECT
  }

  #judgeAlone(shown: Shown): Judged | Promise<Judged> {
    const judging = this.#house.authenticate(shown, this.#asker)
    const known = (judged: Awaited<typeof judging>) => ('unauthenticated' in judged ? UNKNOWN : judged)
    return judging instanceof Promise ? judging.then(known) : known(judging)
  }

  /** False when the project has too many connections, and this one is closed; or it has ended already. */
  #sit(project: string | null): boolean {
    if (this.#state === 'over') return false
    if (project === this.#seat || project === null || project === NO_PROJECT) return true
    // A connection without authentication may serve many projects. It counts for the first.
    if (this.#seat !== null && !this.#house.needsAuthentication) return true
    if (!this.#house.seats.take(project)) {
      this.#peer.close(1008, 'The project has too many connections.')
      return false
    }
    if (this.#seat !== null) this.#house.seats.leave(this.#seat)
    this.#seat = project
    return true
  }

  readonly #asker = {
    signal: () => {
      if (this.#state === 'over') return AbortSignal.abort(GONE)
      this.#gone ??= new AbortController()
      return this.#gone.signal
    },
    clientAddress: () => this.#peer.address,
  }
}

/** Of what the schema knows, what is no list and no object: the rest may take twenty times its length. */
function simpleIn(body: JsonObject, { body: { properties } }: AnySocketDoor): JsonObject {
  const simple: JsonObject = {}
  for (const name of Object.keys(properties)) {
    const value = Object.hasOwn(body, name) ? body[name] : undefined
    if (value !== undefined && typeof value !== 'object') simple[name] = value
  }
  return simple
}
