import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { waits } from '../support/settled.ts'
import { bodiesOf, type Claim, refusal, type Terms } from './actions.ts'
import { type Scene, throughEachDoor } from './each-door.ts'
import { V1, V1_1, V2 } from './http-doors.ts'
import { SOCKET } from './socket-door.ts'

const idempotencyKey = 'attempt-1'

/** Claims what has to be there. */
async function claim({ me }: Scene, terms?: Terms): Promise<Claim> {
  return (await me.claim('jobs', terms)) ?? assert.fail('there is nothing to claim')
}

throughEachDoor(
  'a claim with a key',
  (scene) => {
    beforeEach(() => scene.me.createQueue('jobs'))

    test('is answered again, with what it holds, and nothing else is claimed', async () => {
      await scene.me.post('jobs', { body: 1 }, { body: 2 }, { body: 3 })
      const first = await claim(scene, { limit: 2, idempotencyKey })
      assert.deepEqual(await claim(scene, { limit: 2, idempotencyKey }), first)
      await scene.me.delete('jobs', first.messages[0]?.id ?? '', first.id)
      scene.service.pass(20)
      const again = await claim(scene, { limit: 1, ttl: 600, idempotencyKey })
      assert.deepEqual([again.id, bodiesOf(again)], [first.id, [2]])
      const shown = await scene.me.showClaim('jobs', first.id)
      assert.deepEqual([shown?.ttl, shown?.age], [60, 20])
      const { free, claimed } = await scene.me.stats('jobs')
      assert.deepEqual([free, claimed], [1, 1])
    })

    test('is made anew when it has ended, by time or by hand, or when nothing is left of it', async () => {
      await scene.me.post('jobs', { body: 1 })
      const terms = { ttl: 60, idempotencyKey }
      const first = await claim(scene, terms)
      scene.service.pass(60)
      const second = await claim(scene, terms)
      await scene.me.release('jobs', second.id)
      const third = await claim(scene, terms)
      assert.equal(new Set([first.id, second.id, third.id]).size, 3)
      assert.deepEqual(bodiesOf(third), [1])
      await scene.me.delete('jobs', third.messages[0]?.id ?? '', third.id)
      assert.equal(await scene.me.claim('jobs', terms), null)
    })

    test('is for the client that made it: another one with the same key has its own', async () => {
      await scene.me.post('jobs', { body: 1 }, { body: 2 })
      const mine = await claim(scene, { limit: 1, idempotencyKey })
      const others = await scene.other.claim('jobs', { limit: 1, idempotencyKey })
      assert.deepEqual([bodiesOf(mine), bodiesOf(others)], [[1], [2]])
      assert.deepEqual(await claim(scene, { idempotencyKey }), mine)
      assert.deepEqual(await scene.other.claim('jobs', { idempotencyKey }), others)
      assert.equal(await scene.stranger.claim('jobs', { idempotencyKey }), null)
    })

    test('that waits is one claim with its repetition, whoever waits in between', async () => {
      const first = scene.me.claim('jobs', { wait: 20, idempotencyKey })
      assert.ok(await waits(first))
      const between = scene.other.claim('jobs', { wait: 20 })
      assert.ok(await waits(between))
      const repeated = scene.me.claim('jobs', { wait: 20, idempotencyKey })
      assert.ok(await waits(repeated))
      await scene.me.post('jobs', { body: 1 })
      assert.deepEqual(bodiesOf(await first), [1])
      assert.deepEqual(await repeated, await first)
      assert.ok(await waits(between))
      await scene.me.post('jobs', { body: 2 })
      assert.deepEqual(bodiesOf(await between), [2])
    })

    for (const key of ['', 'k'.repeat(256)]) {
      test(`does not take a key of ${key.length} characters`, async () => {
        await scene.me.post('jobs', { body: 1 })
        const refused = scene.me.claim('jobs', { idempotencyKey: key })
        await assert.rejects(refused, refusal(400, 'Invalid API request', 'Idempotency-Key', '255'))
        assert.equal((await scene.me.stats('jobs')).claimed, 0)
      })
    }
  },
  { doors: [V2, SOCKET] },
)

throughEachDoor(
  'the key of a claim',
  (scene) => {
    test('is not heeded, as upstream does not', async () => {
      await scene.me.createQueue('jobs')
      await scene.me.post('jobs', { body: 1 }, { body: 2 })
      for (const [key, body] of [
        [idempotencyKey, 1],
        [idempotencyKey, 2],
      ] as const) {
        assert.deepEqual(bodiesOf(await claim(scene, { limit: 1, idempotencyKey: key })), [body])
      }
      assert.equal(await scene.me.claim('jobs', { idempotencyKey: '' }), null)
    })
  },
  { doors: [V1, V1_1] },
)
