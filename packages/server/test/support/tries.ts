/** How often something random is tried: `usual` times, or, where `ZAQAR_TEST_THOROUGH` is set, as before a release, `thorough` times. */
export function tries(usual: number, thorough: number): number {
  return process.env['ZAQAR_TEST_THOROUGH'] === undefined ? usual : thorough
}
