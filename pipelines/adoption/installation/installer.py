"""The names in install.yml, its parameters and its outputs, and that of its stack."""

STACK = "sagemaker-project-template"

STUDIO_ROLES, STUDIO_ROLE_NAMES = "StudioRoleArns", "StudioRoleNames"
IDENTITY_PROVIDER = "GitHubIdentityProvider"
PRODUCT_URL, PRODUCT_VERSION = "ServiceCatalogTemplateUrl", "ServiceCatalogVersion"

BUCKET = "TemplateBucket"
LAUNCH_ROLE = "LaunchRoleArn"
PRODUCT = "ProductId"
STUDIO_POLICY = "StudioPolicyArn"
# Both are parameters of template.yml, too.
BOUNDARY = "PermissionsBoundaryArn"
OIDC_PROVIDER = "GitHubOidcProviderArn"
