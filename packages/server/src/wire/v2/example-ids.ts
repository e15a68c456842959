/** Ids in examples. Real ones are as opaque. */
export const MESSAGE = '0000000000000001a7d3c1f09b52e864'
export const SECOND_MESSAGE = '00000000000000021c86f35d0e94ab27'
export const MARKER = '7be3905f1d2c4a86a1c8d2479f603e5b'
export const CLAIM = '4f1c9a7e2b6d48039e5fa0c3d7b81265'
export const SUBSCRIPTION = '9d02b7c64e1f4a53b8e6f07a1c3d5942'
export const SIGNATURE = '518b51ea133c4facadae42c328d6b77b9e5f3c0a2d8e417b6a9c05f4e3d21b80'
export const SECRET = 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo='
