import { runService } from '@payflow/service';

import { migrations } from './migrations.js';
import { TokenizationModule } from './tokenization.module.js';

await runService({ name: 'tokenization', module: TokenizationModule, migrations });
