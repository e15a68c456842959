/** The environment of a program that nothing in the environment may configure. `home`: path of a folder. */
export function bareEnvironment(home: string): NodeJS.ProcessEnv {
  const { PATH, NODE_COMPILE_CACHE } = process.env
  return { HOME: home, PATH, ...(NODE_COMPILE_CACHE !== undefined && { NODE_COMPILE_CACHE }) }
}
