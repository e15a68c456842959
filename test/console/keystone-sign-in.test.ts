/** Signing in to the console with a real Keystone, and what becomes of its tokens. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { Zaqar } from 'zaqar-client'
import { authtoken, PASSWORD, startCloud } from '../keystone/cloud.ts'
import { requirePeer } from '../support/peers.ts'
import { look } from './look.ts'
import { go, openConsole, press, startBoth } from './open.ts'

/** Of a project that somebody else has named. */
const HOSTILE_PROJECT = '<img src=x onerror="document.title=1"> \u202edlog'

test('with Keystone', async (t) => {
  for (const peer of ['keystone', 'uwsgi', 'chromium'] as const) if (!requirePeer(t, peer)) return
  const cloud = await startCloud()
  t.after(() => cloud.keystone.destroy())
  // Nothing is remembered of a token: that it was taken back shows at once.
  const options = { ...authtoken(cloud), token_cache_time: '-1' }
  const lines = Object.entries(options).map(([name, value]) => `${name} = ${value}`)
  const { service, browser } = await startBoth(t, {
    config: `[DEFAULT]\nauth_strategy = keystone\n[keystone_authtoken]\n${lines.join('\n')}\n`,
  })

  await t.test('by password: the project is chosen, and the page works in that one alone', async () => {
    const { keystone, projects } = cloud
    const admin = await keystone.adminToken()
    const rita = (await keystone.show(await cloud.token('rita', 'red'))).user.id
    const { project } = await keystone.ask(admin, 'POST', '/projects', { project: { name: HOSTILE_PROJECT } })
    for (const id of [projects.blue, project.id]) {
      await keystone.ask(admin, 'PUT', `/projects/${id}/users/${rita}/roles/${cloud.roles.get('member')}`)
    }
    const bob = new Zaqar({ url: service.url, auth: { token: await cloud.token('bob', 'blue') } })
    await bob.queue('of-bob').create()
    const { page, complaints } = await openConsole(browser, service.url)
    await fillIn(page, 'rita', PASSWORD)
    await look(page, 'sign-in')
    await press(page, 'Sign in')
    const choice = page.getByLabel('Project')
    await choice.waitFor()
    assert.deepEqual(await choice.locator('option').allTextContents(), [HOSTILE_PROJECT, 'blue', 'red'])
    await choice.selectOption('blue')
    await press(page, 'Open')
    await page.getByText('of-bob').waitFor()
    await page.getByText('Project blue').waitFor()
    assert.equal(await page.getByRole('link', { name: 'Service' }).count(), 0, 'it is for operators')

    await press(page, 'Sign out')
    await fillIn(page, 'rita', PASSWORD)
    await press(page, 'Sign in')
    await choice.selectOption(HOSTILE_PROJECT)
    await press(page, 'Open')
    await page.getByText('There are no queues').waitFor()
    await page.getByText(HOSTILE_PROJECT).waitFor()
    await look(page, 'hostile-project')
    assert.deepEqual(complaints, [])
    await page.close()
  })

  await t.test('a wrong password, an unknown token and an unknown credential are refused in plain words', async () => {
    const { page, complaints } = await openConsole(browser, service.url)
    await fillIn(page, 'rita', 'wrong')
    await press(page, 'Sign in')
    await page.getByRole('alert').filter({ hasText: 'Keystone does not accept' }).waitFor()
    await look(page, 'wrong-password')
    await fillIn(page, 'nobody', PASSWORD)
    await press(page, 'Sign in')
    await page.getByRole('alert').filter({ hasText: 'Keystone does not accept' }).waitFor()
    await way(page, 'Token')
    await page.getByLabel('Token').fill('junk')
    await press(page, 'Sign in')
    await page.getByRole('alert').filter({ hasText: 'Keystone does not accept' }).waitFor()
    await way(page, 'Application credential')
    await page.getByLabel('Id of the credential').fill('junk')
    await page.getByLabel('Secret').fill('junk')
    await press(page, 'Sign in')
    await page.getByRole('alert').filter({ hasText: 'Keystone gives no token' }).waitFor()
    assert.deepEqual(complaints, [])
    await page.close()
  })

  await t.test('by a token, which stays good when the page is signed out', async () => {
    const token = await cloud.newToken('ada', 'red')
    const { page, complaints } = await openConsole(browser, service.url)
    const used = tokensOf(page)
    await way(page, 'Token')
    await page.getByLabel('Token').fill(token)
    await press(page, 'Sign in')
    await press(page, 'Open')
    await page.getByRole('link', { name: 'Service' }).click()
    await page.getByText('The storage answers').waitFor()
    await press(page, 'Sign out')
    await page.getByRole('button', { name: 'Sign in' }).waitFor()
    await cloud.keystone.show(token)
    await assertTakenBack(used, token)
    assert.deepEqual(complaints, [])
    await page.close()
  })

  await t.test('by an application credential', async () => {
    const { id, secret } = await newCredential('pat')
    const { page, complaints } = await openConsole(browser, service.url)
    const used = tokensOf(page)
    await way(page, 'Application credential')
    await page.getByLabel('Id of the credential').fill(id)
    await page.getByLabel('Secret').fill(secret)
    await press(page, 'Sign in')
    await page.getByRole('heading', { name: 'Queues' }).waitFor()
    await press(page, 'Sign out')
    await page.getByRole('button', { name: 'Sign in' }).waitFor()
    await assertTakenBack(used)
    assert.deepEqual(complaints, [])
    await page.close()
  })

  await t.test(
    'nothing of it is kept but in the memory of the page, and what is signed out is taken back',
    async () => {
      const { page, complaints } = await openConsole(browser, service.url)
      const used = tokensOf(page)
      await signIn(page, 'rita', 'red')
      const kept = await page.evaluate(EVERYTHING_KEPT)
      assert.deepEqual(kept, { local: { theme: 'system' }, session: {}, cookies: '', databases: [], caches: [] })
      assert.deepEqual(await page.context().cookies(), [])
      assert.ok(!page.url().includes('gAAAA') && !page.url().includes('?'), page.url())

      await page.reload()
      await page.getByRole('button', { name: 'Sign in' }).waitFor()
      assert.equal(await page.getByLabel('Password').inputValue(), '')
      await signIn(page, 'rita', 'red')
      const before = new Set(used)
      await press(page, 'Sign out')
      await page.getByRole('button', { name: 'Sign in' }).waitFor()
      assert.equal(await page.getByLabel('Password').inputValue(), '')
      const latest = [...before].slice(-2)
      assert.equal(latest.length, 2, 'one of no project, and one of the project')
      await assertTakenBack(new Set(latest))
      for (const secret of [PASSWORD, ...used]) assert.ok(!service.log().includes(secret), 'the log has a secret')
      assert.deepEqual(complaints, [])
      await page.close()
    },
  )

  await t.test('tokens that are taken back while the page is open: it says so, and goes on where it was', async () => {
    const rita = new Zaqar({ url: service.url, auth: { token: await cloud.newToken('rita', 'red') } })
    await rita.queue('mine').post('here I am')
    const { page, complaints } = await openConsole(browser, service.url)
    const used = tokensOf(page)
    await signIn(page, 'rita', 'red')
    await go(page, '#/queues/mine/messages')
    await page.getByText('"here I am"').waitFor()
    for (const token of used) await cloud.keystone.ask(token, 'DELETE', '/auth/tokens', undefined, subject(token))
    await page.getByRole('alert').filter({ hasText: 'Your sign-in has ended' }).waitFor()
    await page.getByText('"here I am"').waitFor()
    await look(page, 'sign-in-ended')
    await press(page, 'Sign in again')
    await signIn(page, 'rita', 'red')
    await page.getByText('"here I am"').waitFor()
    assert.deepEqual(complaints, [])
    await page.close()
  })

  await t.test('a token that has ended is made anew while it may be', async () => {
    const { page, complaints } = await openConsole(browser, service.url)
    const used = tokensOf(page)
    await signIn(page, 'rita', 'red')
    const scoped = [...used].at(-1) as string
    await cloud.keystone.ask(scoped, 'DELETE', '/auth/tokens', undefined, subject(scoped))
    await go(page, '#/topics')
    await page.getByText('There are no topics').waitFor()
    assert.equal(await page.getByRole('alert').count(), 0)
    assert.deepEqual(complaints, [])
    await page.close()
  })

  await t.test('an application credential that is taken away while the page is open: it says so', async () => {
    const { id, secret, remove } = await newCredential('rita')
    const { page, complaints } = await openConsole(browser, service.url)
    await way(page, 'Application credential')
    await page.getByLabel('Id of the credential').fill(id)
    await page.getByLabel('Secret').fill(secret)
    await press(page, 'Sign in')
    await page.getByRole('heading', { name: 'Queues' }).waitFor()
    await remove()
    await go(page, '#/topics')
    await page.getByRole('alert').filter({ hasText: 'Your sign-in has ended' }).waitFor()
    await press(page, 'Sign in again')
    await page.getByRole('button', { name: 'Sign in' }).waitFor()
    assert.deepEqual(complaints, [])
    await page.close()
  })

  async function newCredential(person: 'rita' | 'pat') {
    const { keystone } = cloud
    const token = await cloud.newToken(person, 'red')
    const credential = await keystone.newCredential(token, { name: `console of ${person}` })
    const { user } = await keystone.show(token)
    const remove = () => keystone.ask(token, 'DELETE', `/users/${user.id}/application_credentials/${credential.id}`)
    return { ...credential, remove }
  }

  /** Keystone knows none of them any more. */
  async function assertTakenBack(tokens: ReadonlySet<string>, given?: string): Promise<void> {
    const admin = await cloud.keystone.adminToken()
    assert.ok(tokens.size > 0)
    for (const token of tokens) {
      if (token === given) continue
      const answer = await fetch(`${cloud.keystone.url}/auth/tokens`, {
        headers: { 'X-Auth-Token': admin, ...subject(token) },
      })
      assert.equal(answer.status, 404, 'a token is still good')
    }
  }
})

/** All that a page can leave behind in a browser. */
const EVERYTHING_KEPT = `(async () => ({
  local: { ...localStorage },
  session: { ...sessionStorage },
  cookies: document.cookie,
  databases: await indexedDB.databases(),
  caches: await caches.keys(),
}))()`

/** The tokens that the page has got so far, as they come. */
function tokensOf(page: Page): ReadonlySet<string> {
  const tokens = new Set<string>()
  page.on('response', async (response) => {
    const token = await response.headerValue('x-subject-token').catch(() => null)
    if (token !== null) tokens.add(token)
  })
  return tokens
}

function subject(token: string): Record<string, string> {
  return { 'X-Subject-Token': token }
}

async function way(page: Page, name: string): Promise<void> {
  await page.getByLabel('Sign in with').selectOption(name)
}

async function fillIn(page: Page, user: string, password: string): Promise<void> {
  await page.getByLabel('User').fill(user)
  await page.getByLabel('Password').fill(password)
}

async function signIn(page: Page, user: string, project: string): Promise<void> {
  await fillIn(page, user, PASSWORD)
  await press(page, 'Sign in')
  await page.getByLabel('Project').selectOption(project)
  await press(page, 'Open')
  await page.getByText(`Project ${project}`).waitFor()
}
