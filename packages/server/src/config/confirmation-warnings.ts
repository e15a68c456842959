import type { Config } from './options.ts'

/**
 * Why confirmations that are required could not be asked for. `label` names an option of `[notification]` and where it
 * was set. Options whose own values were refused are absent.
 */
export function confirmationWarnings(
  { auth, notification, signedUrls }: Partial<Config>,
  label: (name: string) => string,
): string[] {
  const hasKey = auth?.strategy !== 'keystone' || Boolean(signedUrls?.secretKey?.reveal())
  if (hasKey || notification?.requiresConfirmation !== true) return []
  return [
    `${label('require_confirmation')}: no subscriber can be asked to confirm, as [signed_url] secret_key is not set; ` +
      'nobody is told of anything but whom the owner of the queue confirms',
  ]
}
