import { runService } from '@payflow/service';

import { AuthModule } from './auth.module.js';
import { migrations } from './migrations.js';

await runService({ name: 'auth', module: AuthModule, migrations });
