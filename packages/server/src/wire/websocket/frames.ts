/** From the bytes of a frame to a request. (contract websocket.md 2, 3, 4) */
import { isKeptNumber, isObject, printJson } from '../../model/json.ts'
import type { Json, JsonObject } from '../../model/model.ts'
import { type Codec, type Decoded, type Echo, type Repeated, Undecodable } from './codec.ts'
import type { Encoding } from './encodings.ts'
import { jsonCodec } from './json-frames.ts'
import { msgpackCodec } from './msgpack-frames.ts'
import { bodyProblem, headersProblem } from './schema.ts'
import { readHeaders } from './shown-in-frame.ts'
import type { AnySocketDoor, SocketAnswer } from './socket-door.ts'

/** A request that its action may look at. Who asks is not known yet. */
export interface Frame {
  readonly encoding: Encoding
  readonly action: string
  /** Null: `authenticate`, which is an affair of the connection. */
  readonly door: AnySocketDoor | null
  /** Those that say who asks. Those that upstream knows are texts, where they are there. */
  readonly headers: JsonObject
  /** As the schema of the door wants it. Empty where there is none, and for `authenticate`. */
  body: JsonObject
  /** Of all of it. */
  readonly bytes: number
  readonly echo: Echo
}

/** A frame that no action gets to see: `answer` says why. No error, since making the stack of one costs too much. */
export class FrameRefused {
  readonly echo: Echo
  readonly answer: SocketAnswer

  constructor(echo: Echo, answer: SocketAnswer) {
    this.echo = echo
    this.answer = answer
  }
}

/** Decodes a frame, finds its door and holds it against the schema. */
export function readFrame(
  data: Buffer,
  encoding: Encoding,
  doors: ReadonlyMap<string, AnySocketDoor>,
): Frame | FrameRefused {
  return encoding === 'json' ? read(data, encoding, jsonCodec, doors) : read(data, encoding, msgpackCodec, doors)
}

function read<Raw>(
  data: Buffer,
  encoding: Encoding,
  codec: Codec<Raw>,
  doors: ReadonlyMap<string, AnySocketDoor>,
): Frame | FrameRefused {
  const decoded = decode(data, codec)
  if (decoded instanceof FrameRefused) return decoded
  const { document } = decoded
  const echo = codec.echo(repeated(decoded))
  const refuse = (error: string, exception?: string) => new FrameRefused(echo, refusal(400, error, exception))
  if (!isObject(document)) return refuse('Unexpected body type. Expected dict or dict like.')
  const action = own(document, 'action')
  const isKnown = typeof action === 'string' && (action === AUTHENTICATE || doors.has(action))
  if (!isKnown) return refuse(`${pythonText(action)} is not a valid action`)
  const [headers, body] = [own(document, 'headers'), own(document, 'body')]
  const door = doorTo(action, body, doors)
  const problem = headersProblem(headers, door) ?? bodyProblem(body, door)
  if (problem !== null) return refuse('Schema validation failed.', problem)
  return {
    encoding,
    action,
    door,
    headers: readHeaders(headers as JsonObject),
    body: isObject(body) ? body : {},
    bytes: data.length,
    echo,
  }
}

const AUTHENTICATE = 'authenticate'

function decode<Raw>(data: Buffer, codec: Codec<Raw>): Decoded<Raw> | FrameRefused {
  try {
    return codec.decode(data)
  } catch (error) {
    if (!(error instanceof Undecodable)) throw error
    return new FrameRefused(codec.echo({}), refusal(400, `Can't decode ${codec.called} request. ${error.message}`))
  }
}

/** Nothing of `authenticate`, which holds a token. What upstream takes for no headers is shown as none. */
function repeated<Raw>({ document, members }: Decoded<Raw>): Repeated<Raw> {
  if (!isObject(document)) return {}
  const action = members.get('action')
  const requestId = namesRequest(own(document, 'request_id')) ? members.get('request_id') : undefined
  if (document['action'] === AUTHENTICATE) return { action, requestId }
  const headers = isEmpty(own(document, 'headers')) ? undefined : members.get('headers')
  return { action, body: members.get('body'), headers, requestId }
}

function namesRequest(id: Json | undefined): boolean {
  return typeof id === 'string' || typeof id === 'number' || isKeptNumber(id)
}

/** As Python sees it. */
function isEmpty(value: Json | undefined): boolean {
  return !value || (Array.isArray(value) && value.length === 0)
}

/** No member that every object has. */
function own(document: JsonObject, name: string): Json | undefined {
  return Object.hasOwn(document, name) ? document[name] : undefined
}

/** As Python shows the simple ones. */
function pythonText(action: Json | undefined): string {
  if (typeof action === 'string') return action
  if (action === null || action === undefined) return 'None'
  if (typeof action === 'boolean') return action ? 'True' : 'False'
  return printJson(action)
}

/** For a topic where the body names one, and no queue; and of several for the same action the one for such a body. */
function doorTo(
  action: string,
  body: Json | undefined,
  doors: ReadonlyMap<string, AnySocketDoor>,
): AnySocketDoor | null {
  const door = doors.get(action) ?? null
  if (door === null || !isObject(body)) return door
  const namesTopic = Object.hasOwn(body, 'topic_name') && !Object.hasOwn(body, 'queue_name')
  const chosen = (namesTopic && door.forTopics) || door
  return chosen.variants?.find((one) => one.when?.(body)) ?? chosen
}

/** An answer that only says what is wrong with a request. (contract websocket.md 3) */
export function refusal(status: number, error: string, exception?: string): SocketAnswer {
  return { status, body: printJson(exception === undefined ? { error } : { error, exception }) }
}
