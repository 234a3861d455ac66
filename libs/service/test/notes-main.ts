import { runService } from '../src/index.js';
import { CreateNotes1760000000000, gate, NotesModule } from './notes-service.js';

gate.opened = new Promise((resolve) => {
  gate.open = resolve;
});
gate.entered = () => process.send?.('entered');
process.on('message', (message) => {
  if (message === 'open') gate.open();
  if (message === 'reject') void Promise.reject(new Error('nobody handles this'));
});

await runService({ name: 'payment', module: NotesModule, migrations: [CreateNotes1760000000000] });
process.send?.('listening');
