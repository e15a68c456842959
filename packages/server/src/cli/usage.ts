import { describeFlags } from '../config/document.ts'

export function serveUsage(): string {
  return `Usage: zaqar serve [FLAG]...

Starts the service, HTTP and WebSocket on one port. Nothing needs to be configured.

${describeFlags()}  --help

Whatever a flag says can be said in a file or by an environment variable, too, and more: see zaqar config options.
`
}

export const policyUsage = `Usage: zaqar policy list [FLAG]...
       zaqar policy check --rule NAME [--roles A,B] [--project ID] [--user ID] [--signed yes] [FLAG]...

list prints the rules in force and where they come from. check says whether a caller with these roles may do what a rule
guards, and why; it ends with 1 when not. --signed yes: the caller comes with a signed URL, hence without roles. The other
flags say where the configuration is, as those of zaqar serve do.
`
