/** The service cannot be registered in Keystone, or not as it was asked for. */
export class RegistrationError extends Error {
  override readonly name = 'RegistrationError'
}
