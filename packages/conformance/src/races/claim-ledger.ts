import assert from 'node:assert/strict'
import type { Claim } from 'zaqar/storage'

/**
 * Who holds which message, as consumers know it: a claim is written down when its answer has come and struck out before
 * its end is asked for, so what two claims hold here at once they held at once.
 */
export class ClaimLedger {
  readonly #holders = new Map<string, string>()

  begin(claim: Claim): void {
    for (const { id, claimId } of claim.messages) {
      assert.equal(claimId, claim.id)
      assert(!this.#holders.has(id), `Exclusive: ${id} is in the live claims ${this.#holders.get(id)} and ${claim.id}`)
      this.#holders.set(id, claim.id)
    }
  }

  end(claim: Claim): void {
    for (const { id } of claim.messages) this.endOne(id)
  }

  endOne(id: string): void {
    this.#holders.delete(id)
  }

  checkUnclaimed(id: string): void {
    assert(!this.#holders.has(id), `Exclusive: ${id} was popped out of the live claim ${this.#holders.get(id)}`)
  }
}
