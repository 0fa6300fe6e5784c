//! The scopes of internal keys: what each operation of the Internal API asks for.

use poem_openapi::{Enum, OAuthScopes};
use serde::Serialize;

/// Makes the enum that operations name their scope from and that keys are given.
macro_rules! scopes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),+ $(,)?) => {
        /// A right that an internal key can carry. The special flag of a key stands for all of them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Enum, OAuthScopes, Serialize)]
        pub enum Scope {
            $($(#[$doc])* #[oai(rename = $name)] #[serde(rename = $name)] $variant),+
        }

        impl Scope {
            /// All of them, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Its name.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// The scope of this name.
            pub fn from_word(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

scopes! {
    /// Check the connection.
    ConnectionCheck = "connection:check",
    /// List tickets.
    TicketsList = "tickets:list",
    /// Create tickets.
    TicketsCreate = "tickets:create",
    /// Read tickets.
    TicketsRead = "tickets:read",
    /// Update tickets.
    TicketsUpdate = "tickets:update",
    /// Delete tickets.
    TicketsDelete = "tickets:delete",
    /// List departments.
    DepartmentsList = "departments:list",
    /// Create departments.
    DepartmentsCreate = "departments:create",
    /// Read departments.
    DepartmentsRead = "departments:read",
    /// Update departments.
    DepartmentsUpdate = "departments:update",
    /// Delete departments.
    DepartmentsDelete = "departments:delete",
    /// List categories.
    CategoriesList = "categories:list",
    /// Create categories.
    CategoriesCreate = "categories:create",
    /// Read categories.
    CategoriesRead = "categories:read",
    /// Update categories.
    CategoriesUpdate = "categories:update",
    /// Delete categories.
    CategoriesDelete = "categories:delete",
    /// List labels.
    LabelsList = "labels:list",
    /// Create labels.
    LabelsCreate = "labels:create",
    /// Read labels.
    LabelsRead = "labels:read",
    /// Update labels.
    LabelsUpdate = "labels:update",
    /// Delete labels.
    LabelsDelete = "labels:delete",
    /// List products.
    ProductsList = "products:list",
    /// Create products.
    ProductsCreate = "products:create",
    /// Read products.
    ProductsRead = "products:read",
    /// Update products.
    ProductsUpdate = "products:update",
    /// Delete products.
    ProductsDelete = "products:delete",
    /// List agents.
    AgentsList = "agents:list",
    /// Create agents.
    AgentsCreate = "agents:create",
    /// Read agents.
    AgentsRead = "agents:read",
    /// Update agents.
    AgentsUpdate = "agents:update",
    /// Delete agents.
    AgentsDelete = "agents:delete",
    /// List knowledge categories.
    KnowledgeCategoriesList = "knowledge-categories:list",
    /// Create knowledge categories.
    KnowledgeCategoriesCreate = "knowledge-categories:create",
    /// Read knowledge categories.
    KnowledgeCategoriesRead = "knowledge-categories:read",
    /// Update knowledge categories.
    KnowledgeCategoriesUpdate = "knowledge-categories:update",
    /// Delete knowledge categories.
    KnowledgeCategoriesDelete = "knowledge-categories:delete",
    /// List knowledge articles.
    KnowledgeArticlesList = "knowledge-articles:list",
    /// Create knowledge articles.
    KnowledgeArticlesCreate = "knowledge-articles:create",
    /// Read knowledge articles.
    KnowledgeArticlesRead = "knowledge-articles:read",
    /// Update knowledge articles.
    KnowledgeArticlesUpdate = "knowledge-articles:update",
    /// Delete knowledge articles.
    KnowledgeArticlesDelete = "knowledge-articles:delete",
    /// List canned responses.
    CannedResponsesList = "canned-responses:list",
    /// Create canned responses.
    CannedResponsesCreate = "canned-responses:create",
    /// Read canned responses.
    CannedResponsesRead = "canned-responses:read",
    /// Update canned responses.
    CannedResponsesUpdate = "canned-responses:update",
    /// Delete canned responses.
    CannedResponsesDelete = "canned-responses:delete",
    /// List custom fields.
    CustomFieldsList = "custom-fields:list",
    /// Create custom fields.
    CustomFieldsCreate = "custom-fields:create",
    /// Read custom fields.
    CustomFieldsRead = "custom-fields:read",
    /// Update custom fields.
    CustomFieldsUpdate = "custom-fields:update",
    /// Delete custom fields.
    CustomFieldsDelete = "custom-fields:delete",
    /// List api keys.
    ApiKeysList = "api-keys:list",
    /// Create api keys.
    ApiKeysCreate = "api-keys:create",
    /// Read api keys.
    ApiKeysRead = "api-keys:read",
    /// Update api keys.
    ApiKeysUpdate = "api-keys:update",
    /// Delete api keys.
    ApiKeysDelete = "api-keys:delete",
    /// List customers.
    CustomersList = "customers:list",
    /// Create customers.
    CustomersCreate = "customers:create",
    /// Read customers.
    CustomersRead = "customers:read",
    /// Update customers.
    CustomersUpdate = "customers:update",
    /// List a ticket's messages.
    MessagesList = "messages:list",
    /// Write messages.
    MessagesCreate = "messages:create",
    /// Read the activity log.
    ActivityLogsList = "activity-logs:list",
    /// Read the overview report.
    ReportsOverview = "reports:overview",
    /// Read the report by agent.
    ReportsAgents = "reports:agents",
    /// Read the report by department.
    ReportsDepartments = "reports:departments",
    /// Read the settings.
    SettingsRead = "settings:read",
    /// Change the settings.
    SettingsUpdate = "settings:update",
}
