//! Where the API is, and the groups its operations come in.

use poem_openapi::Tags;

/// Where the API is.
pub const BASE: &str = "/api/v1";

/// The groups of operations in the document.
#[derive(Tags)]
pub enum Tag {
    /// Whether the server is there. Needs no key.
    Health,
    /// External API: whether your key works.
    Connection,
    /// External API: your desk at a glance.
    Dashboard,
    /// External API: the tickets you see.
    Tickets,
    /// External API: the conversations under them.
    Messages,
    /// External API: the ids of labels and departments.
    Lookups,
    /// External API: answers written once, used often.
    #[oai(rename = "Canned responses")]
    CannedResponses,
    /// External API: what has been written down already.
    #[oai(rename = "Knowledge base")]
    KnowledgeBase,
    /// External API: yourself.
    Profile,
    /// External API: what you are told.
    Notifications,
    /// Internal API: whether your key works.
    #[oai(rename = "Admin: connection")]
    AdminConnection,
    /// Internal API: every ticket of the desk.
    #[oai(rename = "Admin: tickets")]
    AdminTickets,
    /// Internal API: the conversations under them.
    #[oai(rename = "Admin: messages")]
    AdminMessages,
    /// Internal API: where tickets go.
    #[oai(rename = "Admin: departments")]
    AdminDepartments,
    /// Internal API: what tickets are about.
    #[oai(rename = "Admin: categories")]
    AdminCategories,
    /// Internal API: coloured words on tickets.
    #[oai(rename = "Admin: labels")]
    AdminLabels,
    /// Internal API: what customers have bought.
    #[oai(rename = "Admin: products")]
    AdminProducts,
    /// Internal API: who asks.
    #[oai(rename = "Admin: customers")]
    AdminCustomers,
    /// Internal API: who answers.
    #[oai(rename = "Admin: agents")]
    AdminAgents,
    /// Internal API: the shelves of the knowledge base.
    #[oai(rename = "Admin: knowledge categories")]
    AdminKnowledgeCategories,
    /// Internal API: what has been written down.
    #[oai(rename = "Admin: knowledge articles")]
    AdminKnowledgeArticles,
    /// Internal API: answers written once, used often.
    #[oai(rename = "Admin: canned responses")]
    AdminCannedResponses,
    /// Internal API: what else a ticket can say.
    #[oai(rename = "Admin: custom fields")]
    AdminCustomFields,
    /// Internal API: who changed what.
    #[oai(rename = "Admin: activity")]
    AdminActivity,
    /// Internal API: how the desk is doing.
    #[oai(rename = "Admin: reports")]
    AdminReports,
    /// Internal API: how the desk works.
    #[oai(rename = "Admin: settings")]
    AdminSettings,
    /// Internal API: who may call.
    #[oai(rename = "Admin: API keys")]
    AdminApiKeys,
}
