/** What `deploy/` has for HAProxy and nginx, in front of a service: TLS ends there, and all ways to wait or be told go through. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:http2'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { Zaqar } from 'zaqar-client'
import { makePair } from '../../packages/server/test/support/certificates.ts'
import { EventReader } from '../../packages/server/test/support/events.ts'
import { CLIENT_ID, PROJECT } from '../../packages/server/test/support/test-client.ts'
import { until } from '../../packages/server/test/support/until.ts'
import { startBrowser } from '../browser/browser.ts'
import { assertNoComplaints, go, openConsole, signInToProject } from '../console/open.ts'
import { missingPeer, requirePeer } from '../support/peers.ts'
import { freePort, startProxy } from '../support/proxy.ts'
import { startService } from '../support/service.ts'

/** In seconds: the longest `wait` of a request, and the least time between two signs of life of a socket. */
const LONGEST_SILENCE = 30
/** Of nginx, which would have them in /var/lib. */
const TEMPORARY_FOLDERS = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
const IDENTITY = { 'client-id': CLIENT_ID, 'x-project-id': PROJECT }

interface Example {
  readonly file: string
  /** Settings in seconds that end a connection which says nothing. */
  readonly limits: readonly RegExp[]
  /** The text of the file for this port, in front of the service at that one, with what it reads in `folder`. */
  adapt(text: string, port: number, service: number, folder: string): string
  /** Runs it in the foreground with the settings in a file. */
  command(file: string): readonly string[]
}

const certificate = makePair('proxy')
setDefaultCACertificates([...getCACertificates('default'), certificate.cert])

const examples: Readonly<Record<'haproxy' | 'nginx', Example>> = {
  haproxy: {
    file: 'haproxy/haproxy.cfg',
    limits: [/timeout client (\d+)s/, /timeout server (\d+)s/],
    adapt: (text, port, service, folder) =>
      text
        .replace('#http-request', 'http-request')
        .replace('bind :443 ssl crt /etc/haproxy/', `bind 127.0.0.1:${port} ssl crt ${folder}/`)
        .replace('10.0.0.11:8888', `127.0.0.1:${service}`)
        .replace(/^ +server node2 .*\n/m, ''),
    command: (file) => ['/usr/sbin/haproxy', '-db', '-f', file],
  },
  nginx: {
    file: 'nginx/zaqar.conf',
    limits: [/proxy_read_timeout (\d+)s/, /proxy_send_timeout (\d+)s/],
    adapt: (text, port, service, folder) => `
      daemon off; user root; pid ${folder}/pid; events {}
      http {
        access_log off;
        ${TEMPORARY_FOLDERS.map((name) => `${name}_temp_path ${folder}/${name};`).join('\n')}
        ${text
          .replaceAll('#location', 'location')
          .replace('listen 443', `listen 127.0.0.1:${port}`)
          .replace('127.0.0.1:8888', `127.0.0.1:${service}`)
          .replaceAll('/etc/nginx/', `${folder}/`)}
      }`,
    command: (file) => ['/usr/sbin/nginx', '-e', 'stderr', '-c', file],
  },
}

for (const [name, example] of Object.entries(examples)) {
  const skip = missingPeer(name as keyof typeof examples)
  describe(`behind ${name}, with TLS`, { skip, timeout: 120_000 }, () => {
    let served: Served
    before(async () => {
      served = await serve(example)
    })
    after(() => served.stop())

    test('the file lets requests wait for as long as they may', () => {
      const text = textOf(example)
      for (const limit of example.limits) assert.ok(Number(limit.exec(text)?.[1]) > LONGEST_SILENCE, limit.source)
    })

    test('messages are posted, read, claimed and deleted, and links are paths whatever a client says of proxies', async () => {
      const { url, zaqar } = served
      const forwarded = {
        'x-forwarded-host': 'elsewhere.example',
        'x-forwarded-prefix': '/other',
        forwarded: 'proto=http',
      }
      const answer = await fetch(`${url}/v2/queues/jobs/messages`, {
        method: 'POST',
        headers: { ...IDENTITY, ...forwarded, 'content-type': 'application/json' },
        body: JSON.stringify({ messages: [{ body: 'x'.repeat(200_000) }] }),
      })
      assert.equal(answer.status, 201)
      assert.match(answer.headers.get('location') ?? '', /^\/v2\/queues\/jobs\/messages\?ids=/)
      const queue = zaqar.queue('jobs')
      const { messages } = await queue.list<string>()
      assert.deepEqual(
        messages.map(({ body }) => body.length),
        [200_000],
      )
      const claim = await queue.claim()
      assert.ok(claim !== null)
      for (const message of claim.messages) await claim.delete(message)
      assert.equal((await queue.stats()).total, 0)
    })

    test('a long poll waits, and is answered when there is something', async () => {
      const { zaqar } = served
      const queue = zaqar.queue('jobs')
      const begun = performance.now()
      assert.equal(await queue.claim({ wait: 1 }), null)
      assert.ok(performance.now() - begun >= 1000, 'it was answered too early')
      const claimed = queue.claim<string>({ wait: 20 })
      await queue.post('news')
      assert.equal((await claimed)?.messages[0]?.body, 'news')
    })

    test('a socket is opened, and told', async () => {
      const { zaqar } = served
      const heard = Promise.withResolvers<string>()
      const queue = zaqar.queue('news')
      const subscriber = queue.subscribe<string>(({ body }) => heard.resolve(body), {
        transports: ['socket'],
        from: 'start',
        onError: heard.reject,
      })
      await queue.post('hello')
      assert.equal(await heard.promise, 'hello')
      assert.equal(subscriber.transport, 'socket')
      await subscriber.stop()
    })

    test('an event stream over HTTP/2 has each event as it comes', async () => {
      const { url, zaqar } = served
      const session = connect(url)
      try {
        const path = '/v2/queues/stream/messages?echo=true'
        const stream = session.request({ ':path': path, accept: 'text/event-stream', ...IDENTITY })
        const [head] = await once(stream, 'response')
        assert.equal(head[':status'], 200)
        const reader = new EventReader()
        stream.setEncoding('utf8').on('data', (text: string) => reader.read(text))
        const queue = zaqar.queue('stream')
        for (const body of [1, 2, 3]) {
          await queue.post(body)
          await until(() => reader.bodies.at(-1) === body, 'an event is held back')
        }
      } finally {
        session.destroy()
      }
    })

    test('below a path, too, the console works, with the API and the WebSocket', async (t) => {
      if (!requirePeer(t, 'chromium')) return
      const browser = await startBrowser(t, { ignoreHTTPSErrors: true })
      const opened = await openConsole(browser, `${served.url}/zaqar`)
      const { page } = opened
      const sockets: string[] = []
      page.on('websocket', (socket) => sockets.push(new URL(socket.url()).pathname))
      await page.goto(`${served.url}/zaqar/console`)
      await signInToProject(page)
      await go(page, '#/queues/below/messages')
      await page.getByRole('checkbox', { name: 'Live' }).check()
      await page.getByText('Waiting for messages').waitFor()
      await new Zaqar({ url: `${served.url}/zaqar`, project: 'demo' }).queue('below').post('a path')
      await page.getByText('"a path"').waitFor()
      assert.deepEqual(sockets, ['/zaqar/v2'])
      assertNoComplaints(opened)
    })

    test('metrics are not for those outside', async () => {
      const { url } = served
      const ways = ['/metrics', '/%6detrics', '/metrics?x', '/zaqar/metrics', '/zaqar/%6detrics']
      for (const path of ways) assert.equal((await fetch(url + path)).status, 403, path)
      assert.equal((await fetch(`${url}/readyz`)).status, 200)
    })
  })
}

function textOf({ file }: Example): string {
  return readFileSync(new URL(`../../deploy/${file}`, import.meta.url), 'utf8')
}

interface Served {
  readonly url: string
  readonly zaqar: Zaqar
  stop(): Promise<void>
}

/** A new service behind a proxy. */
async function serve(example: Example): Promise<Served> {
  const service = await startService()
  const folder = mkdtempSync(join(tmpdir(), 'zaqar-proxy-'))
  const { cert, key } = certificate
  for (const [name, text] of Object.entries({ 'zaqar.pem': cert + key, 'zaqar.crt': cert, 'zaqar.key': key })) {
    writeFileSync(join(folder, name), text, { mode: 0o600 })
  }
  const port = await freePort()
  const file = join(folder, 'settings')
  writeFileSync(file, example.adapt(textOf(example), port, service.port, folder))
  const proxy = await startProxy(example.command(file), `https://localhost:${port}`)
  const zaqar = new Zaqar({ url: proxy.url, project: PROJECT })
  return {
    url: proxy.url,
    zaqar,
    async stop() {
      zaqar.close()
      await proxy.stop()
      await service.kill()
      rmSync(folder, { recursive: true })
    },
  }
}
