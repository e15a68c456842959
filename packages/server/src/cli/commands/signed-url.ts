import { InvalidArgumentError } from 'commander'
import type { ShareTerms } from 'zaqar-client/http'
import { diskFiles } from '../../platform/disk-files.ts'
import { addCommonFlags, asks, type CommonFlags } from '../ask.ts'
import type { ZaqarCommand } from '../command.ts'
import { Printer } from '../output/printer.ts'
import type { Shell } from '../shell.ts'
import { readSignedUrlFile, type SharedQueue, writeSignedUrlFile } from '../signed-url-file.ts'
import { collected, textOf } from '../values.ts'

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']

export function defineSignedUrl(command: ZaqarCommand, shell: Shell): void {
  command.description('Signed URLs: who has the file may do with a queue what it lists, until it expires.')
  defineCreate(command.command('create'), shell)
  defineShow(command.command('show'), shell)
}

function defineCreate(command: ZaqarCommand, shell: Shell): void {
  interface Flags {
    readonly output: string
    readonly method?: readonly string[]
    readonly path?: NonNullable<ShareTerms['paths']>
    readonly expires?: string
    readonly reply?: string
  }
  command
    .description('Writes a file that lets its holder do some things with a queue. Only you may read it.')
    .argument('<QUEUE>')
    .requiredOption('--output <FILE>', 'The file, which must not be there yet.')
    .option('--method <METHOD>', 'What may be done, such as POST; may be repeated. Default: GET', collected(methodOf))
    .option(
      '--path <PATH>',
      'With what: messages, subscriptions or claims; may be repeated. Default: messages',
      collected(textOf),
    )
    .option('--expires <TIME>', 'Until when, such as 2030-01-31T12:00:00. Default: a day from now')
    .option(
      '--reply <QUEUE>',
      'Another queue, which the holder may post answers to. An agent posts its outcomes there.',
    )
    .examples(
      'zaqar signed-url create jobs --output jobs.json --method GET --method POST',
      'zaqar signed-url create jobs --output jobs.json --method DELETE --reply outcomes',
    )
  asks(command, shell, async ({ zaqar, printer }, flags: Flags, queue: string) => {
    const { output, method, path, expires, reply } = flags
    const share = async (queue: string, terms: ShareTerms): Promise<SharedQueue> => ({
      queue,
      signed: await zaqar.queue(queue).share({ ...terms, ...(expires !== undefined && { expires }) }),
    })
    const shared = await share(queue, {
      ...(method !== undefined && { methods: method }),
      ...(path !== undefined && { paths: path }),
    })
    const { signed } = shared
    writeSignedUrlFile(output, {
      url: await zaqar.url(),
      ...shared,
      reply: reply === undefined ? null : await share(reply, { methods: ['POST'] }),
    })
    await printer.tell({ file: output, expires: signed.expires }, `${output} is good until ${signed.expires}`)
  })
}

/** The service signs whatever it is given, and lets in only who asks by these, in capitals. */
function methodOf(text: string): string {
  const method = text.toUpperCase()
  if (METHODS.includes(method)) return method
  throw new InvalidArgumentError(`It must be one of ${METHODS.join(', ')}.`)
}

function defineShow(command: ZaqarCommand, shell: Shell): void {
  command
    .description('Shows what a file allows, and until when; not the signature.')
    .argument('<FILE>')
    .option('--secret', 'With the signature, which lets whoever sees it in.')
    .examples('zaqar signed-url show jobs.json')
  addCommonFlags(command).action(async (path: string, { secret }: { secret?: true }) => {
    const { url, reply, ...shared } = readSignedUrlFile(path, diskFiles.readFile(path))
    const shown = ({ queue, signed: { signature, ...others } }: SharedQueue) => ({
      queue,
      ...others,
      ...(secret && { signature }),
    })
    const printer = new Printer(shell, command.opts<CommonFlags>().json)
    await printer.show({ url, ...shown(shared), ...(reply !== null && { reply: shown(reply) }) })
  })
}
