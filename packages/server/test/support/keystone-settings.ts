/**
 * Asks for tokens of a Keystone at whose address nobody listens: who is kept out is kept out without asking anybody.
 */
export const KEYSTONE = {
  OS_DEFAULT__AUTH_STRATEGY: 'keystone',
  OS_KEYSTONE_AUTHTOKEN__AUTH_URL: 'http://127.0.0.1:1/v3',
  OS_KEYSTONE_AUTHTOKEN__AUTH_TYPE: 'password',
  OS_KEYSTONE_AUTHTOKEN__USERNAME: 'zaqar',
  OS_KEYSTONE_AUTHTOKEN__PASSWORD: 'secret',
}
