/**
 * The entry that the image is built from: all of sandboxd is loaded once, into a snapshot of the heap that each one
 * starts with. What it loads may do nothing by itself, nor be Node.js's http, which cannot be in a snapshot.
 */
import { startupSnapshot } from 'node:v8';
import { run } from './run.ts';

// What Node.js loads once something listens: 8 ms of a start. An import without a use would be left out.
for (const name of ['cluster', 'dns']) process.getBuiltinModule(name);
startupSnapshot.setDeserializeMainFunction(run);
