import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { bodiesOf, type Page, refusal } from './actions.ts'
import { throughEachDoor } from './each-door.ts'

const numbers = (count: number) => Array.from({ length: count }, (_, body) => ({ body }))

throughEachDoor('the messages of a queue', (scene) => {
  beforeEach(() => scene.me.createQueue('jobs'))

  test('keep their order inside a POST and from POST to POST', async () => {
    await scene.me.post('jobs', { body: 1 }, { body: 2 })
    await scene.other.post('jobs', { body: 3 }, { body: 4 })
    await scene.me.post('jobs', { body: 5 })
    assert.deepEqual(bodiesOf(await scene.me.list('jobs', { echo: true })), [1, 2, 3, 4, 5])
    assert.deepEqual(bodiesOf(await scene.me.claim('jobs', { limit: 2 })), [1, 2])
    assert.deepEqual(bodiesOf(await scene.other.claim('jobs')), [3, 4, 5])
  })

  test('are listed ten at a time where no number is asked for, oldest first', async () => {
    await scene.me.post('jobs', ...numbers(12))
    assert.deepEqual(bodiesOf(await scene.me.list('jobs', { echo: true })), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  for (const limit of [0, -1, 21]) {
    test(`are not listed ${limit} at a time`, async () => {
      await assert.rejects(scene.me.list('jobs', { limit }), refusal(400, 'Invalid API request', '1', '20'))
    })
  }

  test('are met once by who follows the links to the end, those of later too', async () => {
    await scene.me.post('jobs', ...numbers(5))
    const seen: unknown[] = []
    let last: Page | null = null
    for (
      let page = await scene.me.list('jobs', { echo: true, limit: 2 });
      page.messages.length > 0;
      page = await scene.me.follow(page)
    ) {
      last = page
      seen.push(...bodiesOf(page))
      if (seen.length === 5) await scene.me.post('jobs', { body: 5 }, { body: 6 })
    }
    assert.deepEqual(seen, [0, 1, 2, 3, 4, 5, 6])
    await scene.me.post('jobs', { body: 7 })
    assert.deepEqual(bodiesOf(await scene.me.follow(last as Page)), [7])
  })

  test('go on behind a page whose messages are gone', async () => {
    const ids = await scene.me.post('jobs', ...numbers(4))
    const page = await scene.me.list('jobs', { echo: true, limit: 2 })
    await scene.me.deleteAll('jobs', ids.slice(0, 3))
    assert.deepEqual(bodiesOf(await scene.me.follow(page)), [3])
  })

  test('are hidden from the client that has posted them, unless it asks for its echo', async () => {
    await scene.me.post('jobs', { body: 'mine' })
    await scene.other.post('jobs', { body: 'other' })
    assert.deepEqual(bodiesOf(await scene.me.list('jobs')), ['other'])
    assert.deepEqual(bodiesOf(await scene.me.list('jobs', { echo: false })), ['other'])
    assert.deepEqual(bodiesOf(await scene.me.list('jobs', { echo: true })), ['mine', 'other'])
  })

  test('fill the pages when some are hidden', async () => {
    for (let i = 0; i < 6; i++) {
      await scene.me.post('jobs', { body: 'mine' })
      await scene.other.post('jobs', { body: i })
    }
    const page = await scene.me.list('jobs', { limit: 4 })
    assert.deepEqual(bodiesOf(page), [0, 1, 2, 3])
    assert.deepEqual(bodiesOf(await scene.me.follow(page)), [4, 5])
  })

  test('are hidden while they are claimed, or shown with their claim', async () => {
    const [first = ''] = await scene.me.post('jobs', { body: 1 }, { body: 2 })
    const claim = await scene.me.claim('jobs', { limit: 1, ttl: 300 })
    assert.deepEqual(bodiesOf(await scene.me.list('jobs', { echo: true })), [2])
    assert.deepEqual(bodiesOf(await scene.me.list('jobs', { echo: true, includeClaimed: true })), [1, 2])
    assert.deepEqual(bodiesOf({ messages: await scene.me.getAll('jobs', [first]) }), [1])
    assert.equal((await scene.me.showClaim('jobs', claim?.id ?? ''))?.messages[0]?.id, first)
    scene.service.pass(300)
    const { messages } = await scene.me.list('jobs', { echo: true })
    assert.deepEqual(
      messages.map(({ body, claimId }) => [body, claimId]),
      [
        [1, null],
        [2, null],
      ],
    )
  })
})
