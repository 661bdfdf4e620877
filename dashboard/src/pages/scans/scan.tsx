import { Page } from '../../parts/page.tsx';

export default function Scan() {
  return <Page title="Scan">{null}</Page>;
}
