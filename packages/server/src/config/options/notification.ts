import { type OptionGroup, withoutEffect } from '../option.ts'

export const notification = {
  name: 'notification',
  options: withoutEffect('there are no notifications in this version', [
    'max_notifier_workers',
    'require_confirmation',
    'external_confirmation_url',
    'smtp_mode',
    'smtp_command',
    'smtp_host',
    'smtp_port',
    'smtp_user_name',
    'smtp_user_password',
    'subscription_confirmation_email_template',
    'unsubscribe_confirmation_email_template',
  ]),
} as const satisfies OptionGroup

export const trustee = {
  name: 'trustee',
  options: [],
  others: 'there are no trust notifications in this version',
} as const satisfies OptionGroup
