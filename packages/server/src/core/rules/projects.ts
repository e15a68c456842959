/**
 * The project of callers who name none, where that is allowed. Empty names are refused everywhere, so nobody can ask
 * for it.
 */
export const NO_PROJECT = ''

/** Where the service tries itself. A line feed stands in no header and in no id that Keystone gives. */
export const OWN_PROJECT = 'own\n'

/** As error descriptions show it. (contract http.md 1.4) */
export function projectName(project: string): string {
  return project === NO_PROJECT ? 'None' : project
}
