/** What upstream leaves off unless a file says otherwise, and this service has on. */
export const offUpstream = [
  {
    group: 'DEFAULT',
    option: 'admin_mode',
    text: 'false',
    note: 'upstream serves the routes of health, pools and flavors only where this is true',
  },
  {
    group: 'DEFAULT',
    option: 'enable_deprecated_api_versions',
    text: '',
    note: 'upstream serves v1 and v1.1 only where they are listed',
  },
] as const
