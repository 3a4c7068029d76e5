//! The catalogue of connectors: what Adobe names them, their ids, and how one signs in.

/// How a connector is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reads {
    /// Tables with columns.
    Table,
    /// Files and folders.
    Files,
    /// A REST endpoint.
    Rest,
    /// Events as they come.
    Stream,
    /// Not at all: the data lake is written to.
    Lake,
}

/// One connector.
#[derive(Debug)]
pub(super) struct Spec {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) id: &'static str,
    pub(super) reads: Reads,
    pub(super) category: &'static str,
    pub(super) auth: &'static [Auth],
}

/// One way to sign in: its name and its parameters, `?` behind those that may be left out.
#[derive(Debug)]
pub(super) struct Auth {
    pub(super) name: &'static str,
    pub(super) params: &'static [&'static str],
}

/// The source that takes events over HTTP.
pub(super) const HTTP_STREAMING: &str = "bc7b00d6-623a-4dfc-9fdb-f1240aeadaeb";
/// The source without a base connection.
pub(super) const LANDING_ZONE: &str = "26f526f2-58f4-4712-961d-e41bf1ccc0e8";
/// The data lake, where every source flow writes.
pub(super) const DATA_LAKE: &str = "c604ff05-7f1a-43c0-8e18-33bf874cb11c";

const NONE: &[Auth] = &[];
/// For connectors whose ways to sign in are not simulated one by one: any name and any parameters will do.
pub(super) const ANY: &[Auth] = &[
    auth("Basic Authentication", &["host?", "username?", "password?"]),
    auth("ConnectionString", &["connectionString?"]),
];
const CLIENT: &[Auth] = &[auth(
    "Client-Id-Secret Based Authentication",
    &["host", "clientId", "clientSecret"],
)];
const S3: &[Auth] = &[auth(
    "Access Key",
    &[
        "s3AccessKey",
        "s3SecretKey",
        "serviceUrl?",
        "bucketName?",
        "folderPath?",
        "s3SessionToken?",
    ],
)];
const AZURE_FILES: &[Auth] = &[auth(
    "Basic Authentication",
    &["host", "userId", "password"],
)];
const GOOGLE: &[Auth] = &[auth(
    "Basic Authentication for google-cloud",
    &["accessKeyId", "secretAccessKey"],
)];
const SALESFORCE: &[Auth] = &[auth(
    "Basic Authentication",
    &["environmentUrl?", "username", "password", "securityToken"],
)];
const DYNAMICS: &[Auth] = &[auth(
    "Basic Authentication for Dynamics-Online",
    &["serviceUri", "username", "password"],
)];
const SNOWFLAKE: &[Auth] = &[auth(
    "Basic Authentication for Snowflake",
    &["connectionString"],
)];
const POSTGRES: &[Auth] = &[auth(
    "Connection String Based Authentication",
    &["connectionString"],
)];
const DATABRICKS: &[Auth] = &[auth(
    "Access Token Authentication",
    &["domain", "clusterId", "accessToken", "database", "catalog?"],
)];
const HTTP: &[Auth] = &[auth(
    "Streaming Connection",
    &["dataType", "sourceId?", "name?", "authenticationRequired?"],
)];

const fn auth(name: &'static str, params: &'static [&'static str]) -> Auth {
    Auth { name, params }
}

const fn spec(
    name: &'static str,
    label: &'static str,
    id: &'static str,
    reads: Reads,
    category: &'static str,
    auth: &'static [Auth],
) -> Spec {
    Spec {
        name,
        label,
        id,
        reads,
        category,
        auth,
    }
}

/// Every connector.
#[rustfmt::skip]
pub(super) const ALL: &[Spec] = &[
    spec("paypal", "PayPal", "221c7626-58f6-4eec-8ee2-042b0226f03b", Reads::Table, "payments", CLIENT),
    spec("square", "Square", "2acf109f-9b66-4d5e-bc18-ebb2adcff8d5", Reads::Table, "payments", ANY),
    spec("amazon-s3", "Amazon S3", "ecadc60c-7455-4d87-84dc-2a0e293d997b", Reads::Files, "cloud storage", S3),
    spec("amazon-kinesis", "Amazon Kinesis", "86043421-563b-46ec-8e6c-e23184711bf6", Reads::Stream, "streaming", ANY),
    spec("amazon-redshift", "Amazon Redshift", "3416976c-a9ca-4bba-901a-1f08f66978ff", Reads::Table, "database", ANY),
    spec("azure-blob", "Azure Blob", "4c10e202-c428-4796-9208-5f1f5732b1cf", Reads::Files, "cloud storage", ANY),
    spec("azure-data-lake-gen2", "Azure Data Lake Gen2", "b3ba5556-48be-44b7-8b85-ff2b69b46dc4", Reads::Files, "cloud storage", ANY),
    spec("azure-event-hubs", "Azure Event Hubs", "bf9f5905-92b7-48bf-bf20-455bc6b60a4e", Reads::Stream, "streaming", ANY),
    spec("azure-file-storage", "Azure File Storage", "be5ec48c-5b78-49d5-b8fa-7c89ec4569b8", Reads::Files, "cloud storage", AZURE_FILES),
    spec("azure-data-explorer", "Azure Data Explorer", "0479cc14-7651-4354-b233-7480606c2ac3", Reads::Table, "database", ANY),
    spec("azure-synapse-analytics", "Azure Synapse Analytics", "a49bcc7d-8038-43af-b1e4-5a7a089a7d79", Reads::Table, "database", ANY),
    spec("azure-table-storage", "Azure Table Storage", "ecde33f2-c56f-46cc-bdea-ad151c16cd69", Reads::Table, "database", ANY),
    spec("cassandra", "Apache Cassandra", "a8f4d393-1a6b-43f3-931f-91a16ed857f4", Reads::Table, "database", ANY),
    spec("hdfs", "Apache HDFS", "54e221aa-d342-4707-bcff-7a4bceef0001", Reads::Files, "cloud storage", ANY),
    spec("hive", "Apache Hive on HDInsight", "aac9bbd4-6c01-46ce-b47e-51c6f0f6db3f", Reads::Table, "database", ANY),
    spec("spark", "Apache Spark on HDInsight", "6a8d82bc-1caf-45d1-908d-cadabc9d63a6", Reads::Table, "database", ANY),
    spec("couchbase", "Couchbase", "1fe283f6-9bec-11ea-bb37-0242ac130002", Reads::Table, "database", ANY),
    spec("landing-zone", "Data Landing Zone", "26f526f2-58f4-4712-961d-e41bf1ccc0e8", Reads::Files, "cloud storage", NONE),
    spec("databricks", "Databricks", "e9d7ec6b-0873-4e57-ad21-b3a7c65e310b", Reads::Table, "database", DATABRICKS),
    spec("ftp", "FTP", "fb2e94c9-c031-467d-8103-6bd6e0a432f2", Reads::Files, "cloud storage", ANY),
    spec("odata", "Generic OData", "8e6b41a8-d998-4545-ad7d-c6a9fff406c3", Reads::Table, "protocols", ANY),
    spec("generic-rest", "Generic REST API", "4e98f16f-87d6-4ef0-bdc6-7a2b0fe76e62", Reads::Rest, "protocols", ANY),
    spec("google-adwords", "Google Ads", "d771e9c1-4f26-40dc-8617-ce58c4b53702", Reads::Table, "advertising", ANY),
    spec("google-big-query", "Google BigQuery", "3c9b37f8-13a6-43d8-bad3-b863b941fedd", Reads::Table, "database", ANY),
    spec("google-cloud", "Google Cloud Storage", "32e8f412-cdf7-464c-9885-78184cb113fd", Reads::Files, "cloud storage", GOOGLE),
    spec("google-pubsub", "Google PubSub", "70116022-a743-464a-bbfe-e226a7f8210c", Reads::Stream, "streaming", ANY),
    spec("greenplum", "Greenplum", "37b6bf40-d318-4655-90be-5cd6f65d334b", Reads::Table, "database", ANY),
    spec("vertica", "HP Vertica", "a8b6a1a4-5735-42b4-952c-85dce0ac38b5", Reads::Table, "database", ANY),
    spec("streaming-http", "HTTP API", "bc7b00d6-623a-4dfc-9fdb-f1240aeadaeb", Reads::Stream, "streaming", HTTP),
    spec("hubspot", "HubSpot", "cc6a4487-9e91-433e-a3a3-9cf6626c1806", Reads::Table, "marketing", ANY),
    spec("ibm-db2", "IBM DB2", "09182899-b429-40c9-a15a-bf3ddbc8ced7", Reads::Table, "database", ANY),
    spec("mariadb", "MariaDB", "3000eb99-cd47-43f3-827c-43caf170f015", Reads::Table, "database", ANY),
    spec("dynamics-online", "Microsoft Dynamics", "38ad80fe-8b06-4938-94f4-d4ee80266b07", Reads::Table, "CRM", DYNAMICS),
    spec("sql-server", "Microsoft SQL Server", "1f372ff9-38a4-4492-96f5-b9a4e4bd00ec", Reads::Table, "database", ANY),
    spec("mysql", "MySQL", "26d738e0-8963-47ea-aadf-c60de735468a", Reads::Table, "database", ANY),
    spec("oracle-db", "Oracle DB", "d6b52d86-f0f8-475f-89d4-ce54c8527328", Reads::Table, "database", ANY),
    spec("oracle-eloqua", "Oracle Eloqua", "35d6c4d8-c9a9-11eb-b8bc-0242ac130003", Reads::Table, "marketing", ANY),
    spec("oracle-object-storage", "Oracle Object Storage", "c85f9425-fb21-426c-ad0b-405e9bd8a46c", Reads::Files, "cloud storage", ANY),
    spec("oracle-responsys", "Oracle Responsys", "ff4274f2-c9a9-11eb-b8bc-0242ac130003", Reads::Table, "marketing", ANY),
    spec("oracle-service-cloud", "Oracle Service Cloud", "ba5126ec-c9ac-11eb-b8bc-0242ac130003", Reads::Table, "customer success", ANY),
    spec("phoenix", "Phoenix", "102706fb-a5cd-42ee-afe0-bc42f017ff43", Reads::Table, "database", ANY),
    spec("postgre-sql", "PostgreSQL", "74a1c565-4e59-48d7-9d67-7c03b8a13137", Reads::Table, "database", POSTGRES),
    spec("salesforce", "Salesforce", "cfc0fee1-7dc0-40ef-b73e-d8b134c436f5", Reads::Table, "CRM", SALESFORCE),
    spec("salesforce-marketing-cloud", "Salesforce Marketing Cloud", "ea1c2a08-b722-11eb-8529-0242ac130003", Reads::Table, "marketing", CLIENT),
    spec("salesforce-service-cloud", "Salesforce Service Cloud", "cb66ab34-8619-49cb-96d1-39b37ede86ea", Reads::Table, "customer success", ANY),
    spec("service-now", "ServiceNow", "eb13cb25-47ab-407f-ba89-c0125281c563", Reads::Table, "customer success", ANY),
    spec("sftp", "SFTP", "b7bf2577-4520-42c9-bae9-cad01560f7bc", Reads::Files, "cloud storage", ANY),
    spec("shopify", "Shopify", "4f63aa36-bd48-4e33-bb83-49fbcd11c708", Reads::Table, "eCommerce", ANY),
    spec("snowflake", "Snowflake", "b2e08744-4f1a-40ce-af30-7abac3e23cf3", Reads::Table, "database", SNOWFLAKE),
    spec("snowflake-streaming", "Snowflake (streaming)", "51ae16c2-bdad-42fd-9fce-8d5dfddaf140", Reads::Stream, "streaming", ANY),
    spec("teradata-vantage", "Teradata Vantage", "2fa8af9c-2d1a-43ea-a253-f00a00c74412", Reads::Table, "database", ANY),
    spec("veeva-crm", "Veeva CRM", "fcad62f3-09b0-41d3-be11-449d5a621b69", Reads::Table, "CRM", ANY),
    spec("zoho-crm", "Zoho CRM", "929e4450-0237-4ed2-9404-b7e1e0a00309", Reads::Table, "CRM", ANY),
    spec("datalake", "Data lake", "c604ff05-7f1a-43c0-8e18-33bf874cb11c", Reads::Lake, "data lake", NONE),
];
