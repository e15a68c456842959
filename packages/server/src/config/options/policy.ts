import { choice, lines, text } from '../kinds.ts'
import { type OptionGroup, withoutEffect } from '../option.ts'

export const policy = {
  name: 'policy',
  options: [
    {
      name: 'default_rules',
      key: 'policy.defaults',
      kind: choice('upstream', 'personas'),
      default: 'upstream',
      meaning:
        'Rules that hold where no policy file says otherwise: upstream: whoever belongs to a project may do everything in it; ' +
        'personas: the roles reader, member and admin differ.',
      reloads: true,
    },
  ],
} as const satisfies OptionGroup

export const osloPolicy = {
  name: 'oslo_policy',
  options: [
    {
      name: 'policy_file',
      key: 'policy.file',
      kind: text,
      default: 'policy.yaml',
      meaning: 'File of the policy rules; a relative one lies beside the configuration file.',
      reloads: true,
    },
    {
      name: 'policy_dirs',
      key: 'policy.folders',
      kind: lines,
      default: 'policy.d',
      meaning: 'Folders with further files of policy rules; later ones win.',
      repeats: true,
      reloads: true,
    },
    {
      name: 'policy_default_rule',
      key: 'policy.fallback',
      kind: text,
      default: 'default',
      meaning: 'Rule that stands in for one that is missing.',
      reloads: true,
    },
    { name: 'enforce_scope', noEffect: 'no rule has a scope' },
    { name: 'enforce_new_defaults', noEffect: 'stricter rules are chosen by [policy] default_rules' },
    ...withoutEffect('no other server is asked', [
      'remote_content_type',
      'remote_ssl_verify_server_crt',
      'remote_ssl_ca_crt_file',
      'remote_ssl_client_crt_file',
      'remote_ssl_client_key_file',
      'remote_timeout',
    ]),
  ],
} as const satisfies OptionGroup
