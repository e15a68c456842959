import { after, before, test } from 'node:test'
import { requirePeer } from '../support/peers.ts'
import { type Service, startService } from '../support/service.ts'
import { runPython } from './run-python.ts'

let service: Service

before(async () => {
  service = await startService()
})

after(() => service.stop())

for (const version of ['1', '1.1']) {
  test(`python-zaqarclient works with version ${version}`, async (t) => {
    if (requirePeer(t, 'python-zaqarclient')) {
      await runPython('v1_zaqarclient.py', service.url, { ZAQAR_API_VERSION: version, ZAQAR_DATA_DIR: service.dataDir })
    }
  })
}
