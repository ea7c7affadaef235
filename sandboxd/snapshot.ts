/**
 * The entry that the image is built from: what takes long to load and has no state of its own is loaded once, into a
 * snapshot of the heap that each sandboxd starts with. Node.js's own http2 cannot be in it.
 */
import { startupSnapshot } from 'node:v8';
import '../src/protocol/desktop.ts';
import '../src/protocol/frames.ts';
import '../src/protocol/sandboxd.ts';
import '../src/protocol/kernel.ts';
import '../src/protocol/watch.ts';
import './archive/selection.ts';

startupSnapshot.setDeserializeMainFunction(() => void import('./main.ts'));
