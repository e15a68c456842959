import { describeFlags } from '../config/document.ts'

export const usage = `Usage: zaqar COMMAND

  serve            start the service (zaqar serve --help lists its flags)
  config options   print all options, with defaults and meaning; --markdown prints them as a document
  --version        print the version
  --help           print this
`

export function serveUsage(): string {
  return `Usage: zaqar serve [FLAG]...

Starts the service. Nothing needs to be configured.

${describeFlags()}  --help

Whatever a flag says can be said in a file or by an environment variable, too, and more: see zaqar config options.
`
}
