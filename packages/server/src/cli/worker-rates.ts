/** Each worker shows what all of them count: what it has counted it tells the others, by way of the supervisor. */
import type { Worker } from 'node:cluster'
import { type CountedStep, STEP_SECONDS } from '../core/message-rates.ts'
import { createSystemClock } from '../platform/system-clock.ts'
import type { ServiceProcess } from '../service.ts'

interface Told {
  readonly counted: readonly CountedStep[]
}

/** In a worker, for as long as it lives. */
export function shareRates({ takeUntoldRates, addRates }: ServiceProcess): void {
  process.on('message', (message: object) => {
    if ('counted' in message) addRates((message as Told).counted)
  })
  const clock = createSystemClock()
  const tell = () => {
    const counted = takeUntoldRates()
    if (counted.length > 0) process.send?.({ counted } satisfies Told)
    clock.at(clock.now() + STEP_SECONDS * 1000, tell)
  }
  tell()
}

/** In the supervisor. */
export function handOnRates(worker: Worker, all: ReadonlySet<Worker>): void {
  worker.on('message', (message: object) => {
    if (!('counted' in message)) return
    for (const other of all) if (other !== worker && other.isConnected()) other.send(message)
  })
}
