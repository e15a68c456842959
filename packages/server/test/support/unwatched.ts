import { RequestMeter } from '../../src/core/request-meter.ts'
import { DeliveryMeter } from '../../src/delivery/delivery-meter.ts'
import { Metrics } from '../../src/metrics/metrics.ts'
import { EngineFigures } from '../../src/storage/engine-figures.ts'

/** What counts where a test looks at none of it. */

export function unwatchedEngine(): EngineFigures {
  return new EngineFigures(() => 0)
}

export function unwatchedRequests(): RequestMeter {
  return new RequestMeter(
    new Metrics(),
    () => 0,
    () => {},
  )
}

export function unwatchedDeliveries(): DeliveryMeter {
  return new DeliveryMeter(new Metrics(), () => 0)
}
