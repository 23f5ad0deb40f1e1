// usage: node run.mjs LIBRARY     with TACENDA_URL (the FHIR base), TACENDA_TOKEN and NODE_EXTRA_CA_CERTS
import { FhirKitClient } from './fhir_kit_client.mjs';
import { SmartClient } from './fhirclient.mjs';
import { Medplum } from './medplum.mjs';
import { run } from './scenario.mjs';

const LIBRARIES = { 'fhir-kit-client': FhirKitClient, fhirclient: SmartClient, '@medplum/core': Medplum };
const { TACENDA_URL, TACENDA_TOKEN } = process.env;

const metadata = await (await fetch(`${TACENDA_URL}/metadata`)).json();
const patient = metadata.rest[0].resource.find((row) => row.type === 'Patient');
const client = new LIBRARIES[process.argv[2]](TACENDA_URL, TACENDA_TOKEN);
await run(
  client,
  patient.interaction.map((row) => row.code),
);
