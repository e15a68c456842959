import { createServer } from 'node:net'
import { isService, type Place, takesConnections, urlOf } from './ask-service.ts'
import type { Findings } from './finding.ts'
import type { Subject } from './subject.ts'

export async function checkPorts(findings: Findings, { config, service }: Subject): Promise<void> {
  const { http, websocket } = config
  const answers = await service
  await checkMain(findings, http, answers.who)
  if (http.adminPort !== null) {
    const place = { bind: http.adminBind, port: http.adminPort }
    await checkFurther(findings, 'admin', place, () => isService(urlOf(config, place)))
  }
  if (websocket.port !== null) {
    const place = { bind: websocket.bind, port: websocket.port }
    // A page there says no more than that WebSocket is spoken, so the service beside it speaks for it.
    await checkFurther(findings, 'WebSocket', place, async () => answers.who === 'service')
  }
}

async function checkMain(findings: Findings, place: Place, who: 'nobody' | 'stranger' | 'unasked' | 'service') {
  const name = nameOf(place)
  switch (who) {
    case 'nobody':
      return checkFree(findings, 'HTTP', place)
    case 'stranger':
      return findings.error(`another program is at ${name}`, `stop it (ss -ltnp), or choose another --port`)
    case 'unasked':
      return findings.ok(`somebody is at ${name}, who is not asked, as clients need a certificate`)
    case 'service':
      return findings.ok(`the service is at ${name}`)
  }
}

async function checkFurther(findings: Findings, what: string, place: Place, isOurs: () => Promise<boolean>) {
  if (place.port === 0 || !(await takesConnections(place))) return checkFree(findings, what, place)
  if (await isOurs()) findings.ok(`the service is at ${nameOf(place)} (${what})`)
  else findings.error(`another program is at ${nameOf(place)} (${what})`, 'stop it (ss -ltnp), or choose another port')
}

/** Nobody listens there; whether the service could. */
async function checkFree(findings: Findings, what: string, place: Place): Promise<void> {
  const refusal = await refusalOf(place)
  const name = `${nameOf(place)} (${what})`
  if (refusal === null) findings.ok(`nobody listens at ${name}, and the service could`)
  else if (refusal === 'EACCES') {
    findings.error(
      `this user may not listen at ${name}`,
      'choose a port above 1023, or give the service CAP_NET_BIND_SERVICE',
    )
  } else if (refusal === 'EADDRNOTAVAIL')
    findings.error(`${place.bind} is no address of this machine`, 'choose another address')
  else findings.error(`nobody can listen at ${name}: ${refusal}`, 'choose another address or port')
}

/** The code of the error that listening there ends with; it takes no connection meanwhile. */
function refusalOf({ bind, port }: Place): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', ({ code, message }: NodeJS.ErrnoException) => resolve(code ?? message))
    server.listen({ host: bind, port, exclusive: true }, () => server.close(() => resolve(null)))
  })
}

function nameOf({ bind, port }: Place): string {
  return port === 0 ? `a free port of ${bind}` : `${bind} port ${port}`
}
