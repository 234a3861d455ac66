import { runService } from '@payflow/service';

import { migrations } from './migrations.js';
import { WalletModule } from './wallet.module.js';

await runService({ name: 'wallet', module: WalletModule, migrations });
