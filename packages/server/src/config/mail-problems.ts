import type { Config } from './options.ts'

/** What is missing for mail. `label` names an option and where it was set. Refused options are absent. */
export function mailProblems(mail: Partial<Config['mail']>, label: (name: string) => string): string[] {
  const { mode, command, host, userName, userPassword } = mail
  if (mode === 'third_part')
    return /^ |^$/.test(command ?? 'absent') ? [`${label('smtp_command')}: the command is missing`] : []
  if (mode === undefined) return []
  return [
    ...(host === null ? [`${label('smtp_host')}: the mail server is missing`] : []),
    ...(userName && !userPassword
      ? [`${label('smtp_user_password')}: the password of the mail account is missing`]
      : []),
    ...(userPassword && !userName ? [`${label('smtp_user_name')}: the name of the mail account is missing`] : []),
  ]
}
