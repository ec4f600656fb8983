/*
 * What people ask of two real APIs, and the operations that answer it, any of several where more than one does. The
 * first of each were at hand while the search was tuned; the others were written afterwards: they decided
 * between this search and a library, and changed no word and no weight.
 */

export type Question = readonly [question: string, ...operations: string[]]

export const tuned: Readonly<Record<'kobo' | 'cvat', readonly Question[]>> = {
  kobo: [
    ['list my forms', 'GET /api/v2/assets/', 'GET /api/v2/assets/minimal-list/'],
    ['get submissions of a project', 'GET /api/v2/assets/{uid_asset}/data/'],
    ['show one submission', 'GET /api/v2/assets/{uid_asset}/data/{id}/'],
    ['delete a submission', 'DELETE /api/v2/assets/{uid_asset}/data/{id}/'],
    ['mark a submission as approved', 'PATCH /api/v2/assets/{uid_asset}/data/{id}/validation_status/'],
    ['export survey data to csv', 'POST /api/v2/assets/{uid_asset}/exports/', 'GET /api/v2/assets/{uid_asset}/export-settings/{uid_export_setting}/data/'],
    ['download the photos attached to a submission', 'GET /api/v2/assets/{uid_asset}/data/{uid_data}/attachments/', 'GET /api/v2/assets/{uid_asset}/data/{uid_data}/attachments/{id}/'],
    ['share a project with another user', 'POST /api/v2/assets/{uid_asset}/permission-assignments/'],
    ['who has access to this project', 'GET /api/v2/assets/{uid_asset}/permission-assignments/'],
    ['deploy a form', 'POST /api/v2/assets/{uid_asset}/deployment/'],
    ['archive a project', 'PATCH /api/v2/assets/{uid_asset}/deployment/', 'POST /api/v2/assets/bulk/'],
    ['how many submissions per day', 'GET /api/v2/assets/{uid_asset}/counts/'],
    ['webhooks of a project', 'GET /api/v2/assets/{uid_asset}/hooks/'],
    ['retry failed webhook deliveries', 'PATCH /api/v2/assets/{uid_asset}/hooks/{uid_hook}/retry/'],
    ['project history', 'GET /api/v2/assets/{uid_asset}/history/'],
    ['storage used by my account', 'GET /api/v2/service_usage/', 'GET /api/v2/asset_usage/', 'GET /api/v2/organizations/{uid_organization}/service_usage/'],
    ['invite someone to my organization', 'POST /api/v2/organizations/{uid_organization}/invites/'],
    ['remove a member from the organization', 'DELETE /api/v2/organizations/{uid_organization}/members/{username}/'],
    ['transfer a project to a new owner', 'POST /api/v2/project-ownership/invites/'],
    ['upload an xlsform', 'POST /api/v2/imports/'],
    ['versions of a form', 'GET /api/v2/assets/{uid_asset}/versions/'],
    ['current user profile', 'GET /me/'],
    ['duplicate a submission', 'POST /api/v2/assets/{uid_asset}/data/{id}/duplicate/'],
    ['which translation services are available', 'GET /api/v2/translation-services/'],
    ['access logs of my account', 'GET /api/v2/access-logs/me/'],
    ['bulk edit submissions', 'PATCH /api/v2/assets/{uid_asset}/data/bulk/'],
    ['enketo link to edit a submission', 'GET /api/v2/assets/{uid_asset}/data/{id}/edit/', 'GET /api/v2/assets/{uid_asset}/data/{id}/enketo/edit/', 'GET /api/v2/assets/{uid_asset}/data/{id}/enketo/redirect/edit/'],
    ['subscribe to a public collection', 'POST /api/v2/asset_subscriptions/']
  ],
  cvat: [
    ['list tasks', 'GET /api/tasks'],
    ['create an annotation task', 'POST /api/tasks'],
    ['upload images to a task', 'POST /api/tasks/{id}/data/'],
    ['download annotations of a task', 'GET /api/tasks/{id}/annotations/'],
    ['export a project as COCO dataset', 'GET /api/projects/{id}/dataset/'],
    ['assign a job to a user', 'PATCH /api/jobs/{id}'],
    ['jobs of a task', 'GET /api/jobs'],
    ['delete a project', 'DELETE /api/projects/{id}'],
    ['add a member to an organization', 'POST /api/invitations'],
    ['remove somebody from the organization', 'DELETE /api/memberships/{id}'],
    ['who am I', 'GET /api/users/self'],
    ['connect an S3 bucket', 'POST /api/cloudstorages'],
    ['files in a cloud storage', 'GET /api/cloudstorages/{id}/content-v2'],
    ['run automatic annotation with a model', 'POST /api/lambda/requests'],
    ['supported export formats', 'GET /api/server/annotation/formats'],
    ['server version', 'GET /api/server/about'],
    ['create a webhook', 'POST /api/webhooks'],
    ['failed webhook deliveries', 'GET /api/webhooks/{id}/deliveries'],
    ['resend invitation', 'POST /api/invitations/{key}/resend'],
    ['quality report of a task', 'GET /api/quality/reports'],
    ['comments on an issue', 'GET /api/comments'],
    ['reply to a review comment', 'POST /api/comments'],
    ['rename a label', 'PATCH /api/labels/{id}'],
    ['back up a project', 'GET /api/projects/{id}/backup'],
    ['restore a task from backup', 'POST /api/tasks/backup/'],
    ['change my password', 'POST /api/auth/password/change'],
    ['progress of task creation', 'GET /api/tasks/{id}/status'],
    ['delete all annotations of a job', 'DELETE /api/jobs/{id}/annotations/']
  ]
}

export const unseen: Readonly<Record<'kobo' | 'cvat', readonly Question[]>> = {
  kobo: [
    ['library collections I am subscribed to', 'GET /api/v2/asset_subscriptions/'],
    ['unarchive a form', 'PATCH /api/v2/assets/{uid_asset}/deployment/', 'POST /api/v2/assets/bulk/'],
    ['list rest service logs', 'GET /api/v2/assets/{uid_asset}/hooks/{uid_hook}/logs/'],
    ['clone permissions from another project', 'PATCH /api/v2/assets/{uid_asset}/permission-assignments/clone/'],
    ['upload a media file to a form', 'POST /api/v2/assets/{uid_asset}/files/'],
    ['delete my account', 'DELETE /me/'],
    ['organization members', 'GET /api/v2/organizations/{uid_organization}/members/'],
    ['change the role of a team member', 'PATCH /api/v2/organizations/{uid_organization}/members/{username}/'],
    ['available languages', 'GET /api/v2/languages/'],
    ['delete several submissions at once', 'DELETE /api/v2/assets/{uid_asset}/data/bulk/'],
    ['transcribe the audio of a submission', 'PATCH /api/v2/assets/{uid_asset}/data/{root_uuid}/supplement/'],
    ['connect two projects', 'POST /api/v2/assets/{uid_asset}/paired-data/'],
    ['form in XLS format', 'GET /api/v2/assets/{uid_asset}/xls/'],
    ['saved export settings', 'GET /api/v2/assets/{uid_asset}/export-settings/'],
    ['terms of service', 'GET /api/v2/terms-of-service/'],
    ['create a SCIM group', 'POST /api/v2/scim/v2/{idp_slug}/Groups'],
    ['regenerate recovery codes', 'POST /api/v2/allauth/browser/v1/account/authenticators/recovery-codes', 'POST /api/v2/allauth/app/v1/account/authenticators/recovery-codes'],
    ['log out', 'DELETE /api/v2/allauth/browser/v1/auth/session', 'DELETE /api/v2/allauth/app/v1/auth/session']
  ],
  cvat: [
    ['show the details of a project', 'GET /api/projects/{id}'],
    ['update the name of a task', 'PATCH /api/tasks/{id}'],
    ['list organizations', 'GET /api/organizations'],
    ['accept an invitation', 'POST /api/invitations/{key}/accept'],
    ['thumbnail of a task', 'GET /api/tasks/{id}/preview'],
    ['frames metadata of a job', 'GET /api/jobs/{id}/data/meta'],
    ['import annotations into a job', 'POST /api/jobs/{id}/annotations/', 'PUT /api/jobs/{id}/annotations/'],
    ['list members of an organization', 'GET /api/memberships'],
    ['change the role of a member', 'PATCH /api/memberships/{id}'],
    ['cancel an auto annotation request', 'DELETE /api/lambda/requests/{id}'],
    ['test a webhook', 'POST /api/webhooks/{id}/ping'],
    ['which webhook events can I subscribe to', 'GET /api/webhooks/events'],
    ['annotation guide of a project', 'GET /api/guides/{id}'],
    ['files on the shared server directory', 'GET /api/server/share'],
    ['analytics for a project', 'GET /api/analytics/reports'],
    ['quality settings', 'GET /api/quality/settings'],
    ['delete a cloud storage', 'DELETE /api/cloudstorages/{id}'],
    ['download the whole task dataset', 'GET /api/tasks/{id}/dataset']
  ]
}
