// What runs before anything else does, and on any Node: so it is CommonJS, and written in the JavaScript of long ago.
var oldest = 24

if (parseInt(process.versions.node, 10) < oldest) {
  console.error(
    'Zaqar needs Node.js ' +
      oldest +
      ' or newer, but this is ' +
      process.versions.node +
      ' at ' +
      process.execPath +
      ': install a newer one or, in a clone of the repository, let "npm ci" bring it.',
  )
  process.exit(1)
}
